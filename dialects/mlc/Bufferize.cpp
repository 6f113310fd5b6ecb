// mlc.contract and mlc.external on tensors become the same on buffers, and so do the operations between tensors and
// sequences.
#include "mlc/Mlc.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace mlc {

/// The buffers of all operands.
static LogicalResult getBuffers(RewriterBase &rewriter, Operation *op, const BufferizationOptions &options,
                                BufferizationState &state, SmallVectorImpl<Value> &buffers) {
  for (Value operand : op->getOperands()) {
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer))
      return failure();
    buffers.push_back(*buffer);
  }
  return success();
}

namespace {
struct BufferizeContract : DstBufferizableOpInterfaceExternalModel<BufferizeContract, ContractOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    auto contract = cast<ContractOp>(op);
    return !contract.isDpsInit(&operand) || contract.getAccumulate();
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto contract = cast<ContractOp>(op);
    SmallVector<Value> buffers;
    if (failed(getBuffers(rewriter, op, options, state, buffers)))
      return failure();
    ContractOp::create(rewriter, op->getLoc(), buffers[0], buffers[1], buffers[2], contract.getLhsMap(),
                       contract.getRhsMap(), contract.getAccumulate(), contract.getLhsUnsigned());
    replaceOpWithBufferizedValues(rewriter, op, buffers[2]);
    return success();
  }
};

struct BufferizeExternal : DstBufferizableOpInterfaceExternalModel<BufferizeExternal, ExternalOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<ExternalOp>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto external = cast<ExternalOp>(op);
    SmallVector<Value> buffers;
    if (failed(getBuffers(rewriter, op, options, state, buffers)))
      return failure();
    ValueRange inputs = ValueRange(buffers).take_front(external.getInputs().size());
    ValueRange inits = ValueRange(buffers).drop_front(inputs.size());
    ExternalOp::create(rewriter, op->getLoc(), TypeRange(), external.getFunctionAttr(), external.getNodeAttr(),
                       external.getTypesAttr(), external.getAttributeValuesAttr(), inputs, inits);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

/// A sequence takes a copy.
struct BufferizeInsert : BufferizableOpInterface::ExternalModel<BufferizeInsert, InsertOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto insert = cast<InsertOp>(op);
    FailureOr<Value> buffer = getBuffer(rewriter, insert.getTensor(), options, state);
    if (failed(buffer))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { insert.getTensorMutable().assign(*buffer); });
    return success();
  }
};

/// What a sequence gives is its own memory, whole.
struct BufferizeAt : BufferizableOpInterface::ExternalModel<BufferizeAt, AtOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value, const BufferizationOptions &,
                                          const BufferizationState &, SmallVector<Value> &) const {
    return cast<BufferLikeType>(getMemRefTypeWithStaticIdentityLayout(cast<TensorType>(value.getType())));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    auto at = cast<AtOp>(op);
    Type type = getMemRefTypeWithStaticIdentityLayout(cast<TensorType>(at.getTensor().getType()));
    replaceOpWithNewBufferizedOp<AtOp>(rewriter, op, type, at.getSequence(), at.getPosition(), at.getSizes());
    return success();
  }
};
} // namespace

void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, MlcDialect *) {
    ContractOp::attachInterface<BufferizeContract>(*context);
    ExternalOp::attachInterface<BufferizeExternal>(*context);
    InsertOp::attachInterface<BufferizeInsert>(*context);
    AtOp::attachInterface<BufferizeAt>(*context);
  });
}

} // namespace mlc
