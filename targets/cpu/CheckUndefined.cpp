#include "cpu/CheckUndefined.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ModuleSlotTracker.h"
#include "llvm/IR/Operator.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace mlc::cpu {

/// The type of the shadow of a value of type `type`: a bit for each scalar in it.
static Type *shadowType(Type *type) {
  Type *bit = Type::getInt1Ty(type->getContext());
  if (auto *vector = dyn_cast<VectorType>(type))
    return VectorType::get(bit, vector->getElementCount());
  if (auto *array = dyn_cast<ArrayType>(type))
    return ArrayType::get(shadowType(array->getElementType()), array->getNumElements());
  if (auto *structure = dyn_cast<StructType>(type)) {
    SmallVector<Type *> fields;
    for (Type *field : structure->elements())
      fields.push_back(shadowType(field));
    return StructType::get(type->getContext(), fields);
  }
  return bit;
}

static Constant *clean(Type *type) { return Constant::getNullValue(shadowType(type)); }

static bool isClean(Value *shadow) {
  auto *constant = dyn_cast<Constant>(shadow);
  return constant && constant->isNullValue();
}

static Constant *shadowOf(Constant *constant) {
  Type *type = constant->getType();
  Type *shadow = shadowType(type);
  if (isa<PoisonValue>(constant)) {
    if (!isa<StructType, ArrayType>(shadow))
      return Constant::getAllOnesValue(shadow);
    // An aggregate's poison is made field by field, below.
  } else if (!isa<ConstantAggregate>(constant))
    return clean(type);
  if (isa<VectorType>(shadow)) {
    SmallVector<Constant *> lanes;
    for (Value *lane : constant->operands())
      lanes.push_back(shadowOf(cast<Constant>(lane)));
    return ConstantVector::get(lanes);
  }
  SmallVector<Constant *> fields;
  auto *structure = dyn_cast<StructType>(shadow);
  unsigned count = structure ? structure->getNumElements() : cast<ArrayType>(shadow)->getNumElements();
  for (unsigned field = 0; field < count; ++field)
    fields.push_back(shadowOf(constant->getAggregateElement(field)));
  return structure ? ConstantStruct::get(structure, fields) : ConstantArray::get(cast<ArrayType>(shadow), fields);
}

namespace {

class FunctionChecker {
public:
  FunctionChecker(Function &function, Function &report, ModuleSlotTracker &names)
      : function(function), report(report), names(names) {}

  void run();

private:
  void describe(ArrayRef<Instruction *> instructions);
  void visit(Instruction &instruction);

  /// What would make `instruction` undefined, as one bit.
  Value *undefinedIf(IRBuilder<> &builder, Instruction &instruction);
  Value *undefinedIf(IRBuilder<> &builder, CallInst &call);
  Value *undefinedIf(IRBuilder<> &builder, BinaryOperator &division);

  /// The shadow of an instruction's result: that of what it is made of, and what the instruction adds by itself.
  Value *carried(IRBuilder<> &builder, Instruction &instruction);
  Value *created(IRBuilder<> &builder, Instruction &instruction);
  Value *createdByArithmetic(IRBuilder<> &builder, BinaryOperator &operation);
  Value *createdByCast(IRBuilder<> &builder, CastInst &cast);
  Value *createdByAddress(IRBuilder<> &builder, GetElementPtrInst &address);
  Value *createdByCall(IRBuilder<> &builder, CallInst &call);
  Value *createdByFloat(IRBuilder<> &builder, Instruction &operation);

  Value *shadow(Value *value);
  Value *any(IRBuilder<> &builder, Value *shadow);
  Value *join(IRBuilder<> &builder, Value *a, Value *b);
  Value *spread(IRBuilder<> &builder, Value *shadow, Type *type);

  Function &function;
  Function &report;
  ModuleSlotTracker &names;
  DenseMap<Value *, Value *> shadows;
  DenseMap<Instruction *, std::string> texts; ///< as they were before anything was added
};

} // namespace

//===-- Shadows ------------------------------------------------------------------===//

Value *FunctionChecker::shadow(Value *value) {
  if (auto *constant = dyn_cast<Constant>(value))
    return shadowOf(constant);
  if (isa<Instruction>(value))
    if (Value *known = shadows.lookup(value))
      return known;
  return clean(value->getType()); // arguments have been checked by who gives them
}

/// Whether any lane or field is poison.
Value *FunctionChecker::any(IRBuilder<> &builder, Value *shadow) {
  Type *type = shadow->getType();
  if (isClean(shadow))
    return builder.getFalse();
  if (type->isVectorTy())
    return builder.CreateOrReduce(shadow);
  if (!type->isAggregateType())
    return shadow;
  Value *result = builder.getFalse();
  unsigned count = type->isStructTy() ? type->getStructNumElements() : type->getArrayNumElements();
  for (unsigned field = 0; field < count; ++field)
    result = join(builder, result, any(builder, builder.CreateExtractValue(shadow, field)));
  return result;
}

Value *FunctionChecker::join(IRBuilder<> &builder, Value *a, Value *b) {
  if (!a || isClean(a))
    return b;
  if (!b || isClean(b))
    return a;
  Type *type = a->getType();
  if (!type->isAggregateType())
    return builder.CreateOr(a, b);
  Value *result = Constant::getNullValue(type);
  unsigned count = type->isStructTy() ? type->getStructNumElements() : type->getArrayNumElements();
  for (unsigned field = 0; field < count; ++field) {
    Value *both = join(builder, builder.CreateExtractValue(a, field), builder.CreateExtractValue(b, field));
    result = builder.CreateInsertValue(result, both, field);
  }
  return result;
}

/// `shadow` as one of a value of `type`: lane by lane if there are as many, else one for all.
Value *FunctionChecker::spread(IRBuilder<> &builder, Value *shadow, Type *type) {
  Type *wanted = shadowType(type);
  if (isClean(shadow))
    return Constant::getNullValue(wanted);
  if (shadow->getType() == wanted)
    return shadow;
  Value *bit = any(builder, shadow);
  if (auto *vector = dyn_cast<VectorType>(wanted))
    return builder.CreateVectorSplat(vector->getElementCount(), bit);
  if (!wanted->isAggregateType())
    return bit;
  Value *result = Constant::getNullValue(wanted);
  unsigned count = wanted->isStructTy() ? wanted->getStructNumElements() : wanted->getArrayNumElements();
  for (unsigned field = 0; field < count; ++field) {
    Type *part = type->isStructTy() ? type->getStructElementType(field) : type->getArrayElementType();
    result = builder.CreateInsertValue(result, spread(builder, bit, part), field);
  }
  return result;
}

//===-- What carries poison ------------------------------------------------------===//

Value *FunctionChecker::carried(IRBuilder<> &builder, Instruction &instruction) {
  Type *type = instruction.getType();
  if (isa<LoadInst, FreezeInst, AllocaInst, AtomicRMWInst, AtomicCmpXchgInst>(instruction))
    return clean(type);
  if (auto *select = dyn_cast<SelectInst>(&instruction)) {
    Value *a = shadow(select->getTrueValue()), *b = shadow(select->getFalseValue());
    Value *chosen =
        isClean(a) && isClean(b) ? a : builder.CreateSelect(builder.CreateFreeze(select->getCondition()), a, b);
    Value *condition = spread(builder, shadow(select->getCondition()), type);
    return type->isAggregateType() ? chosen : join(builder, chosen, condition);
  }
  if (auto *insert = dyn_cast<InsertElementInst>(&instruction)) {
    Value *result = builder.CreateInsertElement(shadow(insert->getOperand(0)), shadow(insert->getOperand(1)),
                                                builder.CreateFreeze(insert->getOperand(2)));
    return join(builder, result, spread(builder, shadow(insert->getOperand(2)), type));
  }
  if (auto *extract = dyn_cast<ExtractElementInst>(&instruction))
    return join(builder,
                builder.CreateExtractElement(shadow(extract->getVectorOperand()),
                                             builder.CreateFreeze(extract->getIndexOperand())),
                shadow(extract->getIndexOperand()));
  if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&instruction)) {
    Value *result = builder.CreateShuffleVector(shadow(shuffle->getOperand(0)), shadow(shuffle->getOperand(1)),
                                                shuffle->getShuffleMask());
    // A lane that is taken from nowhere is poison; its shadow must be a bit.
    ArrayRef<int> mask = shuffle->getShuffleMask();
    if (isa<ScalableVectorType>(type) || !is_contained(mask, PoisonMaskElem))
      return result;
    SmallVector<Constant *> nowhere;
    SmallVector<int> lanes;
    for (auto [lane, from] : enumerate(mask)) {
      nowhere.push_back(builder.getInt1(from == PoisonMaskElem));
      lanes.push_back(from == PoisonMaskElem ? mask.size() + lane : lane);
    }
    return builder.CreateShuffleVector(result, ConstantVector::get(nowhere), lanes);
  }
  if (auto *extract = dyn_cast<ExtractValueInst>(&instruction))
    return builder.CreateExtractValue(shadow(extract->getAggregateOperand()), extract->getIndices());
  if (auto *insert = dyn_cast<InsertValueInst>(&instruction))
    return builder.CreateInsertValue(shadow(insert->getAggregateOperand()), shadow(insert->getInsertedValueOperand()),
                                     insert->getIndices());
  if (auto *call = dyn_cast<CallInst>(&instruction)) {
    switch (call->getIntrinsicID()) {
    case Intrinsic::masked_load:
    case Intrinsic::masked_gather:
    case Intrinsic::masked_expandload: {
      Value *otherwise = shadow(call->getArgOperand(2)), *mask = call->getArgOperand(1);
      return isClean(otherwise) ? otherwise : builder.CreateSelect(builder.CreateFreeze(mask), clean(type), otherwise);
    }
    case Intrinsic::not_intrinsic:
      return clean(type);
    default:
      if (!call->doesNotAccessMemory())
        return clean(type);
    }
  }
  Value *result = clean(type);
  auto *call = dyn_cast<CallInst>(&instruction);
  for (Value *operand : call ? make_range(call->arg_begin(), call->arg_end()) : instruction.operands())
    if (!isa<MetadataAsValue>(operand))
      result = join(builder, result, spread(builder, shadow(operand), type));
  return result;
}

//===-- What makes poison --------------------------------------------------------===//

Value *FunctionChecker::createdByArithmetic(IRBuilder<> &builder, BinaryOperator &operation) {
  Value *a = operation.getOperand(0), *b = operation.getOperand(1), *result = nullptr;
  Type *type = operation.getType();
  auto overflows = [&](Intrinsic::ID id) {
    return builder.CreateExtractValue(builder.CreateBinaryIntrinsic(id, a, b), 1);
  };
  switch (operation.getOpcode()) {
  case Instruction::Add:
  case Instruction::Sub:
  case Instruction::Mul: {
    bool isAdd = operation.getOpcode() == Instruction::Add, isSub = operation.getOpcode() == Instruction::Sub;
    if (operation.hasNoSignedWrap())
      result = join(builder, result,
                    overflows(isAdd   ? Intrinsic::sadd_with_overflow
                              : isSub ? Intrinsic::ssub_with_overflow
                                      : Intrinsic::smul_with_overflow));
    if (operation.hasNoUnsignedWrap())
      result = join(builder, result,
                    overflows(isAdd   ? Intrinsic::uadd_with_overflow
                              : isSub ? Intrinsic::usub_with_overflow
                                      : Intrinsic::umul_with_overflow));
    return result;
  }
  case Instruction::Shl:
  case Instruction::LShr:
  case Instruction::AShr: {
    result = builder.CreateICmpUGE(b, ConstantInt::get(type, type->getScalarSizeInBits()));
    // What is shifted back is as it was; after a shift by too much, which is told already, that is poison.
    auto changes = [&](Value *back) {
      result = join(builder, result, builder.CreateFreeze(builder.CreateICmpNE(back, a)));
    };
    if (operation.getOpcode() == Instruction::Shl) {
      if (operation.hasNoSignedWrap())
        changes(builder.CreateAShr(&operation, b));
      if (operation.hasNoUnsignedWrap())
        changes(builder.CreateLShr(&operation, b));
    } else if (operation.isExact())
      changes(builder.CreateShl(&operation, b));
    return result;
  }
  case Instruction::SDiv:
  case Instruction::UDiv:
    return operation.isExact() ? builder.CreateICmpNE(builder.CreateMul(&operation, b), a) : nullptr;
  case Instruction::Or:
    return cast<PossiblyDisjointInst>(operation).isDisjoint() ? builder.CreateIsNotNull(builder.CreateAnd(a, b))
                                                              : nullptr;
  default:
    return nullptr;
  }
}

/// Of a conversion of floats to integers that have no number for them, and of integers to fewer bits.
Value *FunctionChecker::createdByCast(IRBuilder<> &builder, CastInst &cast) {
  Value *from = cast.getOperand(0);
  Type *type = cast.getType();
  switch (cast.getOpcode()) {
  case Instruction::FPToSI:
  case Instruction::FPToUI: {
    // As doubles, which have every bound of up to 53 bits exactly; beyond those no number lies between two bounds.
    bool isSigned = cast.getOpcode() == Instruction::FPToSI;
    unsigned bits = type->getScalarSizeInBits();
    Type *wide = from->getType()->getWithNewType(builder.getDoubleTy());
    if (from->getType()->getScalarSizeInBits() > 64)
      return nullptr;
    Value *number = from->getType() == wide ? from : builder.CreateFPExt(from, wide);
    double above = std::ldexp(1.0, isSigned ? bits - 1 : bits), least = isSigned ? -above : 0;
    Value *fits = bits < 53 || !isSigned ? builder.CreateFCmpOGT(number, ConstantFP::get(wide, least - 1))
                                         : builder.CreateFCmpOGE(number, ConstantFP::get(wide, least));
    fits = builder.CreateAnd(fits, builder.CreateFCmpOLT(number, ConstantFP::get(wide, above)));
    return builder.CreateNot(fits);
  }
  case Instruction::Trunc: {
    auto &trunc = llvm::cast<TruncInst>(cast);
    Value *result = nullptr;
    if (trunc.hasNoSignedWrap())
      result = builder.CreateICmpNE(builder.CreateSExt(&cast, from->getType()), from);
    if (trunc.hasNoUnsignedWrap())
      result = join(builder, result, builder.CreateICmpNE(builder.CreateZExt(&cast, from->getType()), from));
    return result;
  }
  case Instruction::ZExt:
  case Instruction::UIToFP:
    return cast.hasNonNeg() ? builder.CreateIsNeg(from) : nullptr;
  default:
    return nullptr;
  }
}

/// Of an address that is promised not to lie before where it starts from.
Value *FunctionChecker::createdByAddress(IRBuilder<> &builder, GetElementPtrInst &address) {
  if (!address.hasNoUnsignedWrap())
    return nullptr;
  Value *result = nullptr;
  for (Value *index : address.indices())
    if (!isa<Constant>(index))
      result = join(builder, result, spread(builder, builder.CreateIsNeg(index), address.getType()));
  return result;
}

Value *FunctionChecker::createdByCall(IRBuilder<> &builder, CallInst &call) {
  auto isSet = [&](unsigned argument) { return cast<ConstantInt>(call.getArgOperand(argument))->isOne(); };
  switch (call.getIntrinsicID()) {
  case Intrinsic::ctlz:
  case Intrinsic::cttz:
    return isSet(1) ? builder.CreateIsNull(call.getArgOperand(0)) : nullptr;
  case Intrinsic::abs: {
    Type *type = call.getType();
    Constant *least = ConstantInt::get(type, APInt::getSignedMinValue(type->getScalarSizeInBits()));
    return isSet(1) ? builder.CreateICmpEQ(call.getArgOperand(0), least) : nullptr;
  }
  default:
    return nullptr;
  }
}

/// Of operations on floats that are promised to see and to give no NaN, or no infinity.
Value *FunctionChecker::createdByFloat(IRBuilder<> &builder, Instruction &operation) {
  auto *flags = dyn_cast<FPMathOperator>(&operation);
  if (!flags || !(flags->hasNoNaNs() || flags->hasNoInfs()))
    return nullptr;
  Value *result = nullptr;
  auto look = [&](Value *value) {
    Type *type = value->getType();
    if (!type->isFPOrFPVectorTy())
      return;
    Value *isBad = nullptr;
    if (flags->hasNoNaNs())
      isBad = builder.CreateFCmpUNO(value, value);
    if (flags->hasNoInfs())
      isBad = join(
          builder, isBad,
          builder.CreateFCmpOEQ(builder.CreateUnaryIntrinsic(Intrinsic::fabs, value), ConstantFP::getInfinity(type)));
    result = join(builder, result, spread(builder, isBad, operation.getType()));
  };
  auto *call = dyn_cast<CallInst>(&operation);
  for (Value *operand : call ? make_range(call->arg_begin(), call->arg_end()) : operation.operands())
    look(operand);
  if (operation.getType()->isFPOrFPVectorTy())
    look(&operation);
  return result;
}

Value *FunctionChecker::created(IRBuilder<> &builder, Instruction &instruction) {
  if (auto *operation = dyn_cast<BinaryOperator>(&instruction))
    if (Value *bits = createdByArithmetic(builder, *operation))
      return bits;
  if (auto *cast = dyn_cast<CastInst>(&instruction))
    return createdByCast(builder, *cast);
  if (auto *address = dyn_cast<GetElementPtrInst>(&instruction))
    return createdByAddress(builder, *address);
  if (auto *call = dyn_cast<CallInst>(&instruction))
    if (Value *bits = createdByCall(builder, *call))
      return bits;
  if (isa<InsertElementInst, ExtractElementInst>(instruction)) {
    bool isInsert = isa<InsertElementInst>(instruction);
    Value *index = instruction.getOperand(isInsert ? 2 : 1);
    auto *vector = dyn_cast<FixedVectorType>(instruction.getOperand(0)->getType());
    if (isa<Constant>(index) || !vector)
      return nullptr;
    Value *isOutside = builder.CreateICmpUGE(index, ConstantInt::get(index->getType(), vector->getNumElements()));
    return spread(builder, isOutside, instruction.getType());
  }
  return createdByFloat(builder, instruction);
}

//===-- What must not be poison --------------------------------------------------===//

Value *FunctionChecker::undefinedIf(IRBuilder<> &builder, BinaryOperator &division) {
  Value *a = division.getOperand(0), *b = division.getOperand(1);
  Type *type = division.getType();
  Value *bad = builder.CreateIsNull(b);
  if (division.getOpcode() == Instruction::SDiv || division.getOpcode() == Instruction::SRem) {
    Constant *least = ConstantInt::get(type, APInt::getSignedMinValue(type->getScalarSizeInBits()));
    bad = builder.CreateOr(bad, builder.CreateAnd(builder.CreateICmpEQ(a, least),
                                                  builder.CreateICmpEQ(b, Constant::getAllOnesValue(type))));
  }
  // What is divided may be poison, and then is nothing to compare with.
  bad = builder.CreateFreeze(bad);
  return any(builder, join(builder, bad, shadow(b)));
}

Value *FunctionChecker::undefinedIf(IRBuilder<> &builder, CallInst &call) {
  auto masked = [&](Value *lanes, Value *mask) {
    return isClean(lanes) ? builder.getFalse() : any(builder, builder.CreateAnd(lanes, builder.CreateFreeze(mask)));
  };
  Value *result = builder.getFalse();
  auto add = [&](Value *bits) { result = join(builder, result, any(builder, bits)); };
  switch (call.getIntrinsicID()) {
  case Intrinsic::masked_load:
  case Intrinsic::masked_expandload:
    add(shadow(call.getArgOperand(0)));
    add(shadow(call.getArgOperand(1)));
    return result;
  case Intrinsic::masked_gather:
    add(shadow(call.getArgOperand(1)));
    add(masked(shadow(call.getArgOperand(0)), call.getArgOperand(1)));
    return result;
  case Intrinsic::masked_store:
  case Intrinsic::masked_compressstore:
  case Intrinsic::masked_scatter: {
    Value *mask = call.getArgOperand(2);
    add(shadow(mask));
    add(masked(shadow(call.getArgOperand(0)), mask));
    Value *pointers = shadow(call.getArgOperand(1));
    add(pointers->getType()->isVectorTy() ? masked(pointers, mask) : pointers);
    return result;
  }
  case Intrinsic::assume:
    return join(builder, builder.CreateFreeze(builder.CreateNot(call.getArgOperand(0))), shadow(call.getArgOperand(0)));
  default:
    // What computes something carries poison on, anything else acts on it.
    if (call.getIntrinsicID() != Intrinsic::not_intrinsic && call.doesNotAccessMemory())
      return result;
    for (Value *argument : call.args())
      if (!isa<MetadataAsValue>(argument))
        add(shadow(argument));
    if (!isa<Function>(call.getCalledOperand()))
      add(shadow(call.getCalledOperand()));
    return result;
  }
}

Value *FunctionChecker::undefinedIf(IRBuilder<> &builder, Instruction &instruction) {
  auto poison = [&](Value *value) { return any(builder, shadow(value)); };
  switch (instruction.getOpcode()) {
  case Instruction::Load:
    return poison(instruction.getOperand(0));
  case Instruction::Store:
  case Instruction::AtomicRMW:
    return join(builder, poison(instruction.getOperand(0)), poison(instruction.getOperand(1)));
  case Instruction::UDiv:
  case Instruction::SDiv:
  case Instruction::URem:
  case Instruction::SRem:
    return undefinedIf(builder, cast<BinaryOperator>(instruction));
  case Instruction::Call:
    return undefinedIf(builder, cast<CallInst>(instruction));
  case Instruction::Br:
    return cast<BranchInst>(instruction).isConditional() ? poison(instruction.getOperand(0)) : builder.getFalse();
  case Instruction::Switch:
    return poison(instruction.getOperand(0));
  case Instruction::Ret:
    return instruction.getNumOperands() ? poison(instruction.getOperand(0)) : builder.getFalse();
  case Instruction::Unreachable: {
    auto *before = dyn_cast_or_null<CallInst>(instruction.getPrevNode());
    return builder.getInt1(!before || !before->doesNotReturn());
  }
  default:
    return builder.getFalse();
  }
}

//===-- The function -------------------------------------------------------------===//

/// Keeps the texts of those that may be reported.
void FunctionChecker::describe(ArrayRef<Instruction *> instructions) {
  names.incorporateFunction(function);
  for (Instruction *instruction : instructions) {
    if (!isa<LoadInst, StoreInst, AtomicRMWInst, CallInst>(instruction) && !instruction->isIntDivRem() &&
        !instruction->isTerminator())
      continue;
    raw_string_ostream stream(texts[instruction]);
    instruction->print(stream, names);
  }
}

void FunctionChecker::visit(Instruction &instruction) {
  IRBuilder<> builder(&instruction);
  Value *undefined = undefinedIf(builder, instruction);
  if (!isClean(undefined)) {
    Instruction *end = SplitBlockAndInsertIfThen(undefined, instruction.getIterator(), /*Unreachable=*/true);
    IRBuilder<> there(end);
    std::string where = (function.getName() + ":" + StringRef(texts.lookup(&instruction)).take_front(200)).str();
    there.CreateCall(&report, there.CreateGlobalString(where, "undefined"));
  }
  if (instruction.getType()->isVoidTy() || instruction.isTerminator())
    return;
  builder.SetInsertPoint(instruction.getNextNode());
  // What a shadow looks at may be poison, and a shadow must not be. A promise that has been looked at is taken back: the
  // optimizer would draw conclusions from it.
  Value *bits = carried(builder, instruction);
  if (Value *more = created(builder, instruction))
    bits = join(builder, bits, builder.CreateFreeze(more));
  instruction.dropPoisonGeneratingAnnotations();
  shadows[&instruction] = bits;
}

void FunctionChecker::run() {
  SmallVector<Instruction *> instructions;
  for (BasicBlock *block : ReversePostOrderTraversal<Function *>(&function))
    for (Instruction &instruction : *block)
      instructions.push_back(&instruction);
  describe(instructions);
  // A value's shadow is there before its uses; a phi's is filled in once all are.
  SmallVector<std::pair<PHINode *, PHINode *>> merged;
  for (Instruction *instruction : instructions)
    if (auto *phi = dyn_cast<PHINode>(instruction)) {
      auto *bits = PHINode::Create(shadowType(phi->getType()), phi->getNumIncomingValues(), "", phi->getIterator());
      shadows[phi] = bits;
      merged.emplace_back(phi, bits);
    }
  for (Instruction *instruction : instructions)
    if (!isa<PHINode>(instruction))
      visit(*instruction);
  for (auto [phi, bits] : merged)
    for (auto [value, block] : zip(phi->incoming_values(), phi->blocks()))
      bits->addIncoming(shadow(value), block);
}

/// A function that says where it happened, and ends the process; of libc it needs what every process has.
static Function &declareReport(Module &module) {
  LLVMContext &context = module.getContext();
  IRBuilder<> builder(context);
  FunctionCallee print = module.getOrInsertFunction(
      "dprintf",
      FunctionType::get(builder.getInt32Ty(), {builder.getInt32Ty(), builder.getPtrTy()}, /*isVarArg=*/true));
  FunctionCallee abort = module.getOrInsertFunction("abort", builder.getVoidTy());
  auto *type = FunctionType::get(builder.getVoidTy(), {builder.getPtrTy()}, /*isVarArg=*/false);
  Function *report = Function::Create(type, Function::InternalLinkage, "report_undefined", module);
  report->addFnAttr(Attribute::NoReturn);
  report->addFnAttr(Attribute::Cold);
  report->addFnAttr(Attribute::NoInline);
  builder.SetInsertPoint(BasicBlock::Create(context, "", report));
  Value *format = builder.CreateGlobalString("mlc: undefined behavior in %s\n", "undefined");
  builder.CreateCall(print, {builder.getInt32(2), format, report->getArg(0)});
  builder.CreateCall(abort);
  builder.CreateUnreachable();
  return *report;
}

PreservedAnalyses CheckUndefined::run(Module &module, ModuleAnalysisManager &) {
  SmallVector<Function *> functions;
  for (Function &function : module)
    if (!function.isDeclaration())
      functions.push_back(&function);
  if (functions.empty())
    return PreservedAnalyses::all();
  ModuleSlotTracker names(&module, /*ShouldInitializeAllMetadata=*/false);
  Function &report = declareReport(module);
  for (Function *function : functions)
    FunctionChecker(*function, report, names).run();
  return PreservedAnalyses::none();
}

} // namespace mlc::cpu
