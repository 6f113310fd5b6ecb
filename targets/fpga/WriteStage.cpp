// A plan as nested loops: Plan.h says in which order. What stands in a body is one expression where it can be.
//
//   outer loops: at the begin of each, what is brought onto the chip in it
//     the pipeline, a perfect nest, so that it never runs empty between two sums:
//       a sum starts in the first iteration of the reduction loops, ends in the last, and is stored there
#include "fpga/WriteStage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "opencl/OpenCL.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace mlc::fpga {
namespace {

/// An expression whose variables may have values: what is a factor gets parentheses.
class Indices {
public:
  Indices(ArrayRef<std::string> names) : names(names) {}
  std::string text(AffineExpr expr, bool isFactor = false) const;

private:
  ArrayRef<std::string> names;
};

std::string Indices::text(AffineExpr expr, bool isFactor) const {
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return std::to_string(number.getValue());
  if (auto variable = dyn_cast<AffineDimExpr>(expr))
    return names[variable.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  bool isSum = expr.getKind() == AffineExprKind::Add;
  std::string result = text(binary.getLHS(), !isSum);
  if (auto number = dyn_cast<AffineConstantExpr>(binary.getRHS()); isSum && number && number.getValue() < 0)
    result += " - " + std::to_string(-number.getValue());
  else
    result += (isSum                                        ? " + "
               : expr.getKind() == AffineExprKind::Mul      ? " * "
               : expr.getKind() == AffineExprKind::FloorDiv ? " / "
                                                            : " % ") +
              text(binary.getRHS(), !isSum);
  return isFactor ? "(" + result + ")" : result;
}

bool isName(StringRef text) {
  return llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

/// As a factor.
std::string parenthesized(const std::string &text) { return isName(text) ? text : "(" + text + ")"; }

class StageWriter {
public:
  StageWriter(llvm::raw_ostream &out, const Plan &plan, const DenseMap<Value, std::string> &arguments, unsigned number);
  void write();

private:
  void describe();
  void declareBuffers();
  void fillBuffers(unsigned level);
  void fill(const Buffer &buffer);
  void writePipeline();
  void writeLanes();
  void writeBody();
  /// Names the results of a body, with those of its arguments known; writes what is no single expression.
  SmallVector<std::string> evaluate(linalg::LinalgOp op);
  void store(ArrayRef<std::string> values);

  llvm::raw_ostream &line() { return out.indent(depth * 2); }
  void open(const Twine &text) {
    line() << text << " {\n";
    ++depth;
  }
  void close(unsigned count = 1) {
    while (count--) {
      --depth;
      line() << "}\n";
    }
  }
  void openLoop(StringRef name, int64_t trips) {
    open("for (int " + name + " = 0; " + name + " < " + Twine(trips) + "; ++" + name + ")");
  }
  /// Variables of loops that run once are zero.
  AffineExpr known(AffineExpr expr) const;
  std::string index(AffineExpr expr, bool isFactor = false) const {
    return Indices(variables).text(known(expr), isFactor);
  }
  /// The value of a loop.
  std::string valueOf(unsigned loop) const {
    return index(plan.place(getAffineDimExpr(loop, stage.op->getContext())), /*isFactor=*/true);
  }
  /// Where an element lies in the memory beside the chip.
  std::string external(const Access &access, ArrayRef<AffineExpr> indices) const;
  std::string external(const Access &access) const {
    return external(access,
                    llvm::map_to_vector(access.map.getResults(), [&](AffineExpr expr) { return plan.place(expr); }));
  }
  std::string slot(const Buffer &buffer, const std::string &row) const;
  std::string load(unsigned input) const;
  std::string sumAt(unsigned result) const;
  std::string bufferName(const Buffer &buffer) const;
  std::string nameOf(Value value);
  std::string fresh(const Twine &stem) { return (stem + Twine(next++)).str(); }
  std::string unique(const Twine &stem) const { return number == 0 ? stem.str() : (stem + Twine(number + 1)).str(); }

  llvm::raw_ostream &out;
  const Plan &plan;
  const Stage &stage;
  const DenseMap<Value, std::string> &arguments;
  const unsigned number; ///< of the stage in its kernel
  unsigned depth = 1, next = 0;
  SmallVector<std::string> variables; ///< base variables of all loops, then lanes
  SmallVector<std::string> buffers;   ///< names of the plan's buffers
  DenseMap<Value, std::string> values;
};

/// Names for loops as people call them.
SmallVector<std::string> loopNames(const Stage &stage) {
  SmallVector<std::string> names;
  auto contract = stage.contraction();
  unsigned columns = contract ? contract.getColumnLoop() : 0;
  static const char *const outer[] = {"b", "y", "x"};
  for (unsigned loop = 0; loop < stage.extents.size(); ++loop) {
    unsigned terms = stage.extents.size() - columns - 1;
    std::string name = (stage.isReduction[loop] ? "r" : "i") + std::to_string(loop);
    if (contract && loop == columns)
      name = "o";
    else if (contract && loop < columns && columns == 1)
      name = "row";
    else if (contract && loop < columns && columns <= 3)
      name = outer[loop + 3 - columns];
    else if (contract && loop > columns && terms == 1)
      name = "k";
    else if (contract && loop > columns && terms <= 3)
      name = terms == 3 || contract.isLanewise() ? ArrayRef<const char *>{"ky", "kx", "c"}[loop - columns - 1]
                                                 : ArrayRef<const char *>{"kx", "c"}[loop - columns - 1];
    names.push_back(name);
  }
  return names;
}

StageWriter::StageWriter(llvm::raw_ostream &out, const Plan &plan, const DenseMap<Value, std::string> &arguments,
                         unsigned number)
    : out(out), plan(plan), stage(*plan.stage), arguments(arguments), number(number) {
  variables = loopNames(stage);
  for (unsigned loop = 0, count = stage.extents.size(); loop < count; ++loop)
    variables.push_back(variables[loop] + "_lane");
  for (const Buffer &buffer : plan.buffers)
    buffers.push_back(bufferName(buffer));
}

std::string StageWriter::bufferName(const Buffer &buffer) const {
  std::string suffix = buffer.rolling >= 0 ? "_rows" : buffer.level > 0 ? "_part" : "_here";
  return unique(arguments.lookup(plan.input(buffer.input).buffer) + suffix);
}

AffineExpr StageWriter::known(AffineExpr expr) const {
  const unsigned numLoops = stage.extents.size();
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < 2 * numLoops; ++i) {
    bool isOnce = i < numLoops ? plan.trips(i) == 1 : plan.folding.unroll[i - numLoops] == 1;
    dims.push_back(isOnce ? getAffineConstantExpr(0, expr.getContext()) : getAffineDimExpr(i, expr.getContext()));
  }
  return simplifyAffineExpr(expr.replaceDims(dims), 2 * numLoops, 0);
}

std::string StageWriter::external(const Access &access, ArrayRef<AffineExpr> indices) const {
  std::string name = arguments.lookup(access.buffer);
  AffineExpr place = getAffineConstantExpr(access.offset, stage.op->getContext());
  std::string text;
  for (auto [expr, stride, extent] : llvm::zip(indices, access.strides, access.shape)) {
    if (extent == 1)
      continue;
    AffineExpr simple = known(expr);
    if (auto constant = dyn_cast<AffineConstantExpr>(simple)) {
      place = place + constant.getValue() * stride;
      continue;
    }
    text += " + " + (stride == 1 ? index(simple) : index(simple, true) + " * " + std::to_string(stride));
  }
  int64_t constant = cast<AffineConstantExpr>(place).getValue();
  return name + "[" + name + "_at" + (constant ? " + " + std::to_string(constant) : "") + text + "]";
}

//===-- What is on the chip ----------------------------------------------------------------===//

void StageWriter::declareBuffers() {
  for (auto [buffer, name] : llvm::zip(plan.buffers, buffers)) {
    line() << "MLC_ON_CHIP " << opencl::typeName(plan.input(buffer.input).element) << " " << name;
    unsigned rank = 1;
    for (const Buffer::Dim &dim : buffer.dims)
      if (int64_t words = dim.size / dim.lanes; words > 1) {
        out << "[" << words << "]";
        ++rank;
      }
    if (buffer.lanes() > 1)
      out << "[" << buffer.lanes() << "] MLC_WORD(" << rank << ")";
    else if (rank == 1)
      out << "[1]";
    out << ";\n";
    if (buffer.rolling >= 0 && buffer.step < buffer.dims[buffer.rolling].size)
      line() << "int " << name << "_top = 0; // where the first row of the window is\n";
  }
  if (plan.sums.words == 0)
    return;
  if (!stage.sumsIntegers())
    line() << "// A term takes several cycles to be added; " << plan.sums.words
           << (plan.sums.words > 1 ? " sums are on their way meanwhile, one after the other.\n"
                                   : " sum is on its way, so that the next term has to wait.\n");
  for (auto [i, sum] : llvm::enumerate(stage.sums)) {
    line() << "MLC_ON_CHIP " << opencl::typeName(sum.element) << " " << unique("sums" + (i ? Twine(i) : Twine("")));
    for (unsigned loop : plan.inner)
      if (plan.trips(loop) > 1)
        out << "[" << plan.trips(loop) << "]";
    out << "[" << plan.lanes(false) << "]";
    if (plan.lanes(false) > 1) {
      unsigned rank = 1 + llvm::count_if(plan.inner, [&](unsigned loop) { return plan.trips(loop) > 1; });
      out << " MLC_WORD(" << rank << ")";
    }
    out << ";\n";
  }
}

/// The place in a line buffer of what is `row` rows behind its top.
std::string StageWriter::slot(const Buffer &buffer, const std::string &row) const {
  int64_t rows = buffer.dims[buffer.rolling].size;
  if (buffer.step >= rows)
    return row;
  std::string top = buffers[&buffer - plan.buffers.data()] + "_top";
  if (row == "0")
    return top;
  std::string sum = top + " + " + row;
  return llvm::formatv("({0} < {1} ? {0} : {0} - {1})", sum, rows).str();
}

void StageWriter::fillBuffers(unsigned level) {
  for (const Buffer &buffer : plan.buffers)
    if (buffer.level == level)
      fill(buffer);
}

void StageWriter::fill(const Buffer &buffer) {
  const Access &access = plan.input(buffer.input);
  const std::string &name = buffers[&buffer - plan.buffers.data()];
  bool isRolling = buffer.rolling >= 0;
  std::string firstRow = "0";
  if (isRolling) {
    const Buffer::Dim &rows = buffer.dims[buffer.rolling];
    unsigned loop = plan.outer[buffer.level - 1];
    if (buffer.step < rows.size && plan.trips(loop) > 1) {
      line() << "// " << buffer.step << " of the " << rows.size << " rows that the window covers are new.\n";
      line() << name << "_top = " << variables[loop] << " == 0 ? 0 : " << slot(buffer, std::to_string(buffer.step))
             << ";\n";
      firstRow = llvm::formatv("{0} == 0 ? 0 : {1}", variables[loop], rows.size - buffer.step);
    }
  }
  // A loop over the words of each dimension, then over the lanes; those of the last come at once.
  SmallVector<std::string> words, lanes;
  SmallVector<std::string> text(buffer.dims.size()); // of the element within the part
  struct Loop {
    std::string variable;
    int64_t trips;
    std::string first;
  };
  SmallVector<Loop> loops, laneLoops;
  for (auto [number, dim] : llvm::enumerate(buffer.dims)) {
    bool isRow = isRolling && static_cast<int>(number) == buffer.rolling;
    std::string variable = "n" + std::to_string(number);
    int64_t count = dim.size / dim.lanes;
    std::string at;
    if (isRow) {
      if (dim.size > 1)
        loops.push_back({variable, dim.size, firstRow});
      at = dim.size > 1 ? variable : "0";
      std::string place = slot(buffer, at);
      (dim.lanes > 1 ? lanes : words).push_back(dim.lanes > 1 || dim.size > 1 ? place : "");
      if (dim.lanes > 1)
        words.push_back("");
      else
        lanes.push_back("");
      text[number] = at;
      continue;
    }
    if (count > 1)
      loops.push_back({variable, count, "0"});
    if (dim.lanes > 1)
      laneLoops.push_back({variable + "_lane", dim.lanes, "0"});
    words.push_back(count > 1 ? variable : "");
    lanes.push_back(dim.lanes > 1 ? variable + "_lane" : "");
    if (count > 1)
      at = dim.lanes > 1 ? variable + " * " + std::to_string(dim.lanes) : variable;
    if (dim.lanes > 1)
      at += (at.empty() ? "" : " + ") + variable + "_lane";
    text[number] = at.empty() ? "0" : at;
  }
  loops.append(laneLoops);
  bool unrollsLast = buffer.fillsLanes && !buffer.dims.empty() && buffer.dims.back().lanes > 1;
  for (auto [i, loop] : llvm::enumerate(loops)) {
    bool isLast = i + 1 == loops.size();
    if (i + (unrollsLast ? 2 : 1) == loops.size())
      line() << "MLC_PIPELINE(1)\n";
    if (isLast && unrollsLast)
      line() << "MLC_UNROLL\n";
    open("for (int " + loop.variable + " = " + loop.first + "; " + loop.variable + " < " + Twine(loop.trips) + "; ++" +
         loop.variable + ")");
  }
  // The element outside.
  std::string argument = arguments.lookup(access.buffer), from;
  int64_t constant = access.offset;
  for (auto [dim, at, stride] : llvm::zip(buffer.dims, text, access.strides)) {
    AffineExpr start = known(dim.from);
    std::string place = at == "0" ? "" : at;
    if (auto fixed = dyn_cast<AffineConstantExpr>(start))
      constant += fixed.getValue() * stride;
    else
      place = index(start) + (place.empty() ? "" : " + " + place);
    if (place.empty())
      continue;
    from += " + " + (stride == 1 ? place : parenthesized(place) + " * " + std::to_string(stride));
  }
  // The element here.
  std::string here;
  for (const std::string &word : words)
    if (!word.empty())
      here += "[" + word + "]";
  std::string lane;
  for (auto [dim, own] : llvm::zip(buffer.dims, lanes)) {
    if (dim.lanes == 1)
      continue;
    lane = lane.empty() ? own : parenthesized(lane) + " * " + std::to_string(dim.lanes) + " + " + own;
  }
  if (buffer.lanes() > 1)
    here += "[" + lane + "]";
  if (here.empty())
    here = "[0]";
  line() << name << here << " = " << argument << "[" << argument << "_at"
         << (constant ? " + " + std::to_string(constant) : "") << from << "];\n";
  close(loops.size());
}

std::string StageWriter::load(unsigned input) const {
  const Buffer *buffer = plan.bufferOf(input);
  if (!buffer)
    return external(plan.input(input));
  std::string here, lane;
  for (auto [number, dim] : llvm::enumerate(buffer->dims)) {
    bool isRow = static_cast<int>(number) == buffer->rolling;
    if (dim.size / dim.lanes > 1)
      here += "[" + (isRow ? slot(*buffer, index(dim.word)) : index(dim.word)) + "]";
    if (dim.lanes == 1)
      continue;
    std::string own = isRow ? slot(*buffer, index(dim.lane)) : index(dim.lane);
    lane = lane.empty() ? own : parenthesized(lane) + " * " + std::to_string(dim.lanes) + " + " + own;
  }
  if (buffer->lanes() > 1)
    here += "[" + lane + "]";
  return buffers[buffer - plan.buffers.data()] + (here.empty() ? "[0]" : here);
}

//===-- The pipeline -----------------------------------------------------------------------===//

std::string StageWriter::sumAt(unsigned result) const {
  std::string text = unique("sums" + (result ? Twine(result) : Twine("")));
  for (unsigned loop : plan.inner)
    if (plan.trips(loop) > 1)
      text += "[" + variables[loop] + "]";
  std::string lane;
  for (auto [loop, factor] : llvm::enumerate(plan.folding.unroll))
    if (!stage.isReduction[loop] && factor > 1) {
      const std::string &own = variables[stage.extents.size() + loop];
      lane = lane.empty() ? own : parenthesized(lane) + " * " + std::to_string(factor) + " + " + own;
    }
  return text + "[" + (lane.empty() ? "0" : lane) + "]";
}

void StageWriter::describe() {
  line() << "// " << stage.nodes() << "\n";
  line() << "//";
  bool isFirst = true;
  for (auto [loop, extent] : llvm::enumerate(stage.extents)) {
    if (extent == 1)
      continue;
    out << (isFirst ? " " : ", ") << (stage.isReduction[loop] ? "sums over " : "") << variables[loop] << " " << extent;
    if (plan.folding.unroll[loop] > 1)
      out << " by " << plan.folding.unroll[loop] << " at once";
    isFirst = false;
  }
  out << (isFirst ? " one element" : "") << "; an iteration every " << plan.interval
      << (plan.interval == 1 ? " cycle\n" : " cycles\n");
  if (stage.contraction() && plan.lanes(true) > 1)
    line() << "// An array of " << plan.lanes(false) << " x " << plan.lanes(true) / plan.lanes(false)
           << " multipliers: each sum stays in its place, and factors go past.\n";
  for (unsigned input = 0; input < plan.numInputs(); ++input)
    if (plan.folding.streamed[input])
      line() << "// " << arguments.lookup(plan.input(input).buffer)
             << " has no room on the chip: it is read from outside each time.\n";
}

void StageWriter::write() {
  line() << "{\n";
  ++depth;
  describe();
  declareBuffers();
  fillBuffers(0);
  unsigned opened = 1;
  for (unsigned level = 0; level < plan.pipelineLevel; ++level) {
    unsigned loop = plan.outer[level];
    if (plan.trips(loop) > 1) {
      openLoop(variables[loop], plan.trips(loop));
      ++opened;
    }
    fillBuffers(level + 1);
  }
  writePipeline();
  close(opened);
}

void StageWriter::writePipeline() {
  SmallVector<unsigned> loops(ArrayRef(plan.outer).drop_front(plan.pipelineLevel));
  llvm::append_range(loops, plan.reductions);
  llvm::append_range(loops, plan.inner);
  llvm::erase_if(loops, [&](unsigned loop) { return plan.trips(loop) == 1; });
  for (auto [i, loop] : llvm::enumerate(loops)) {
    if (i == 0 && loops.size() > 1)
      line() << "MLC_NEST(" << loops.size() << ")\n";
    if (i + 1 == loops.size()) {
      line() << "MLC_PIPELINE(" << plan.interval << ")\n";
      if (plan.sums.words > 1)
        for (size_t sum = 0; sum < stage.sums.size(); ++sum)
          line() << "MLC_APART(" << unique("sums" + (sum ? Twine(sum) : Twine(""))) << ", " << plan.sums.words << ")\n";
    }
    openLoop(variables[loop], plan.trips(loop));
  }
  writeLanes();
  close(loops.size());
}

void StageWriter::writeLanes() {
  unsigned opened = 0;
  for (unsigned loop = 0; loop < stage.extents.size(); ++loop) {
    if (stage.isReduction[loop] || plan.folding.unroll[loop] == 1)
      continue;
    line() << "MLC_UNROLL\n";
    openLoop(variables[stage.extents.size() + loop], plan.folding.unroll[loop]);
    ++opened;
  }
  writeBody();
  close(opened);
}

/// What a body starts with and ends with in a sum: in the first and in the last iteration of the reduction loops.
static std::string conditionOf(const Plan &plan, ArrayRef<std::string> variables, bool isLast) {
  std::string text;
  for (unsigned loop : plan.reductions)
    if (plan.trips(loop) > 1)
      text += (text.empty() ? "" : " && ") + variables[loop] +
              " == " + (isLast ? std::to_string(plan.trips(loop) - 1) : "0");
  return text;
}

void StageWriter::writeBody() {
  auto structured = stage.structured();
  if (!stage.reduces()) {
    SmallVector<std::string> results;
    if (structured) {
      for (auto [i, input] : llvm::enumerate(stage.inputs))
        values[input.argument] = load(i);
      for (const Access &sum : stage.sums)
        values[sum.argument] = external(sum);
      results = evaluate(structured);
    } else {
      results.push_back(load(0));
    }
    store(results);
    return;
  }

  std::string first = conditionOf(plan, variables, false), last = conditionOf(plan, variables, true);
  SmallVector<std::string> sums;
  for (auto [i, sum] : llvm::enumerate(stage.sums)) {
    sums.push_back("sum" + (i ? std::to_string(i) : std::string()));
    std::string start = stage.starts[i] ? opencl::literal(stage.starts[i]) : external(sum);
    line() << opencl::typeName(sum.element) << " " << sums.back() << " = "
           << (first.empty() ? start : first + " ? " + start + " : " + sumAt(i)) << ";\n";
  }
  // Products of one iteration are summed up before, so that only one addition is between a sum and its next value.
  bool hasTree = stage.contraction() && stage.sumsIntegers() && plan.lanes(true) > plan.lanes(false) && !first.empty();
  if (hasTree)
    line() << "int products = 0;\n";
  unsigned opened = 0;
  for (unsigned loop : plan.reductions)
    if (plan.folding.unroll[loop] > 1) {
      line() << "MLC_UNROLL\n";
      openLoop(variables[stage.extents.size() + loop], plan.folding.unroll[loop]);
      ++opened;
    }
  if (auto contract = stage.contraction()) {
    std::string x = load(0), w = load(1), sum = hasTree ? "products" : sums.front();
    Type lhs = stage.inputs[0].element;
    if (lhs.isF32()) {
      line() << sum << " = fma(" << x << ", " << w << ", " << sum << ");\n";
    } else {
      // Sums wrap around.
      if (contract.getLhsUnsigned())
        x = ("(" + opencl::unsignedTypeName(lhs) + ")" + x).str();
      bool isNarrow = std::max(lhs.getIntOrFloatBitWidth(), stage.inputs[1].element.getIntOrFloatBitWidth()) <= 16;
      line() << sum << " = (int)((uint)" << sum << " + "
             << (isNarrow ? "(uint)((int)" + x + " * (int)" + w + ")" : "(uint)" + x + " * (uint)" + w) << ");\n";
    }
  } else {
    for (auto [i, input] : llvm::enumerate(stage.inputs))
      values[input.argument] = load(i);
    for (auto [sum, name] : llvm::zip(stage.sums, sums))
      values[sum.argument] = name;
    SmallVector<std::string> results = evaluate(structured);
    if (results.size() > 1)
      for (auto [sum, result] : llvm::zip(stage.sums, results)) {
        std::string name = fresh("v");
        line() << "const " << opencl::typeName(sum.element) << " " << name << " = " << result << ";\n";
        result = name;
      }
    for (auto [name, result] : llvm::zip(sums, results))
      line() << name << " = " << result << ";\n";
  }
  close(opened);
  if (hasTree)
    line() << "sum = (int)((uint)sum + (uint)products);\n";
  for (size_t i = 0; i < sums.size(); ++i)
    if (!first.empty())
      line() << sumAt(i) << " = " << sums[i] << ";\n";
  if (!last.empty())
    open("if (" + last + ")");
  if (linalg::LinalgOp epilogue = stage.epilogue) {
    for (auto [i, input] : llvm::enumerate(stage.epilogueInputs))
      values[input.argument] = load(stage.inputs.size() + i);
    values[epilogue.getMatchingBlockArgument(stage.sumOperand())] = sums.front();
    for (const Access &result : stage.results)
      values[result.argument] = external(result);
    store(evaluate(epilogue));
  } else {
    store(sums);
  }
  if (!last.empty())
    close();
}

void StageWriter::store(ArrayRef<std::string> results) {
  for (auto [access, value] : llvm::zip(stage.results, results))
    line() << external(access) << " = " << value << ";\n";
}

//===-- Bodies -----------------------------------------------------------------------------===//

std::string StageWriter::nameOf(Value value) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return opencl::literal(constant.getValue());
  auto found = values.find(value);
  return found == values.end() ? arguments.lookup(value) : found->second;
}

SmallVector<std::string> StageWriter::evaluate(linalg::LinalgOp op) {
  // A value that is used once, and once in the form of what uses it, is written there.
  constexpr size_t longest = 100;
  auto isAtom = [](StringRef text) {
    return llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
  };
  auto isCall = [](StringRef text) {
    // A name and one pair of parentheses or brackets that ends it.
    size_t start = text.find_first_of("([");
    if (start == StringRef::npos || start == 0)
      return false;
    if (!llvm::all_of(text.take_front(start), [](char c) { return llvm::isAlnum(c) || c == '_'; }))
      return false;
    int level = 0;
    for (size_t i = start; i < text.size(); ++i) {
      level += (text[i] == '(' || text[i] == '[') - (text[i] == ')' || text[i] == ']');
      if (level == 0 && i + 1 < text.size() && text[i + 1] != '[')
        return false;
    }
    return level == 0;
  };
  for (BlockArgument argument : op.getBlock()->getArguments())
    if (!values.contains(argument))
      values[argument] = nameOf(op.getMatchingOpOperand(argument)->get());
  // What is read more often than once is read into a variable.
  for (BlockArgument argument : op.getBlock()->getArguments()) {
    unsigned times = 0;
    for (OpOperand &use : argument.getUses())
      times += std::max<unsigned>(
          1, StringRef(opencl::expressionForm(use.getOwner())).count("$" + std::to_string(use.getOperandNumber())));
    if (times < 2 || isName(values[argument]))
      continue;
    std::string name = fresh("v");
    line() << "const " << opencl::typeName(argument.getType()) << " " << name << " = " << values[argument] << ";\n";
    values[argument] = name;
  }
  SmallVector<std::string> results;
  for (Operation &inner : *op.getBlock()) {
    if (isa<arith::ConstantOp>(inner))
      continue;
    if (auto position = dyn_cast<linalg::IndexOp>(inner)) {
      unsigned loop = position.getDim();
      if (op != stage.op) // an epilogue counts as what it reads does
        loop = cast<AffineDimExpr>(stage.epilogueLoops().getResult(loop)).getPosition();
      values[position] = "(long)" + valueOf(loop);
      continue;
    }
    if (auto yield = dyn_cast<linalg::YieldOp>(inner)) {
      for (Value value : yield.getOperands())
        results.push_back(nameOf(value));
      break;
    }
    auto operand = [&](Value value) {
      std::string text = nameOf(value);
      return isAtom(text) || isCall(text) ? text : "(" + text + ")";
    };
    std::string text = opencl::expression(&inner, operand);
    Value result = inner.getResult(0);
    bool isInlined = result.hasOneUse() && text.size() < longest;
    if (isInlined) {
      Operation *user = *result.user_begin();
      std::string form = isa<linalg::YieldOp>(user) ? "$0" : opencl::expressionForm(user);
      std::string place = "$" + std::to_string(result.use_begin()->getOperandNumber());
      size_t at = form.find(place);
      isInlined =
          isa<linalg::YieldOp>(user) || (at != std::string::npos && form.find(place, at + 1) == std::string::npos);
    }
    if (isInlined) {
      values[result] = text;
      continue;
    }
    values[result] = fresh("v");
    line() << "const " << opencl::typeName(result.getType()) << " " << values[result] << " = " << text << ";\n";
  }
  return results;
}

} // namespace

void writeStage(llvm::raw_ostream &out, const Plan &plan, const DenseMap<Value, std::string> &arguments,
                unsigned number) {
  StageWriter(out, plan, arguments, number).write();
}

} // namespace mlc::fpga
