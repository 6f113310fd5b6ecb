#include "fpga/Plan.h"
#include "fpga/Costs.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace mlc::fpga {

/// Cycles until the first result of a pipeline is there, counted each time it starts.
static constexpr int64_t pipelineDepth = 40;
/// What a part of an operand that is no window may take, so that it is held for more of the loops.
static constexpr int64_t mostRowBytes = 8 << 10;

//===-- Folding ----------------------------------------------------------------------------===//

Folding Folding::none(const Stage &stage) {
  Folding folding;
  folding.unroll.assign(stage.extents.size(), 1);
  folding.streamed.assign(stage.inputs.size() + stage.epilogueInputs.size(), false);
  return folding;
}

FailureOr<Folding> Folding::read(const Stage &stage) {
  Folding folding = none(stage);
  auto attr = stage.op->getAttrOfType<DictionaryAttr>(foldingAttrName);
  if (!attr)
    return folding;
  auto unroll = attr.getAs<DenseI64ArrayAttr>("unroll");
  auto streamed = attr.getAs<DenseI64ArrayAttr>("streamed");
  if (!unroll || static_cast<size_t>(unroll.size()) != stage.extents.size())
    return stage.op->emitError("expects in '")
           << foldingAttrName << "' an array 'unroll' of " << stage.extents.size() << " numbers, one for each loop";
  for (auto [loop, factor] : llvm::enumerate(unroll.asArrayRef())) {
    if (factor < 1 || stage.extents[loop] % factor != 0)
      return stage.op->emitError("expects a divisor of ")
             << stage.extents[loop] << " to unroll loop " << loop << " by, got " << factor;
    folding.unroll[loop] = factor;
  }
  for (int64_t input : streamed ? streamed.asArrayRef() : ArrayRef<int64_t>()) {
    if (input < 0 || input >= static_cast<int64_t>(folding.streamed.size()))
      return stage.op->emitError("expects in 'streamed' numbers of operands below ")
             << folding.streamed.size() << ", got " << input;
    folding.streamed[input] = true;
  }
  return folding;
}

void Folding::write(const Stage &stage) const {
  Builder b(stage.op->getContext());
  SmallVector<int64_t> numbers;
  for (auto [number, isStreamed] : llvm::enumerate(streamed))
    if (isStreamed)
      numbers.push_back(static_cast<int64_t>(number));
  NamedAttrList fields;
  fields.set("unroll", b.getDenseI64ArrayAttr(unroll));
  if (!numbers.empty())
    fields.set("streamed", b.getDenseI64ArrayAttr(numbers));
  stage.op->setAttr(foldingAttrName, fields.getDictionary(b.getContext()));
}

//===-- Index expressions ------------------------------------------------------------------===//

namespace {

/// An index as the sum of loops times numbers; what is no such sum has `isLinear` unset.
struct Linear {
  SmallVector<int64_t> factors;
  int64_t constant = 0;
  bool isLinear = true;

  Linear(AffineExpr expr, unsigned numLoops) : factors(numLoops, 0) { add(expr, 1); }
  void add(AffineExpr expr, int64_t factor) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
      factors[loop.getPosition()] += factor;
    } else if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
      constant += number.getValue() * factor;
    } else {
      auto binary = cast<AffineBinaryOpExpr>(expr);
      auto right = dyn_cast<AffineConstantExpr>(binary.getRHS());
      if (expr.getKind() == AffineExprKind::Add) {
        add(binary.getLHS(), factor);
        add(binary.getRHS(), factor);
      } else if (expr.getKind() == AffineExprKind::Mul && right) {
        add(binary.getLHS(), factor * right.getValue());
      } else {
        isLinear = false;
      }
    }
  }
};

bool dependsOn(const Access &access, unsigned loop) { return access.map.isFunctionOfDim(loop); }

} // namespace

//===-- Buffers ----------------------------------------------------------------------------===//

int64_t Buffer::elements() const {
  int64_t count = 1;
  for (const Dim &dim : dims)
    count *= dim.size;
  return count;
}

int64_t Buffer::lanes() const {
  int64_t count = 1;
  for (const Dim &dim : dims)
    count *= dim.lanes;
  return count;
}

bool Buffer::isBanked() const {
  return llvm::all_of(dims, [](const Dim &dim) { return dim.word && dim.lane; });
}

OnChip Buffer::memory(unsigned elementBits) const {
  return {static_cast<int64_t>(llvm::divideCeil(elements(), lanes())), lanes() * elementBits};
}

AffineExpr Plan::place(AffineExpr expr) const {
  SmallVector<AffineExpr> values;
  for (unsigned loop = 0; loop < folding.unroll.size(); ++loop) {
    AffineExpr base = getAffineDimExpr(loop, expr.getContext());
    AffineExpr lane = getAffineDimExpr(folding.unroll.size() + loop, expr.getContext());
    values.push_back(folding.unroll[loop] == 1 ? base : base * folding.unroll[loop] + lane);
  }
  return simplifyAffineExpr(expr.replaceDims(values), 2 * values.size(), 0);
}

/// Cuts a dimension into words of what is read at once: the lanes must be the elements of a word, and each iteration must
/// start with one.
static void findWord(const Plan &plan, Buffer::Dim &dim) {
  MLIRContext *context = dim.at.getContext();
  if (dim.lanes == 1) {
    dim.word = dim.at;
    dim.lane = getAffineConstantExpr(0, context);
    return;
  }
  const unsigned numLoops = plan.stage->extents.size();
  Linear linear(dim.at, 2 * numLoops);
  if (!linear.isLinear || dim.size % dim.lanes != 0)
    return;
  AffineExpr word = getAffineConstantExpr(0, context), lane = word;
  int64_t lastLane = 0;
  for (unsigned loop = 0; loop < numLoops; ++loop) {
    int64_t step = linear.factors[loop], factor = linear.factors[numLoops + loop];
    if (plan.trips(loop) > 1 && step % dim.lanes != 0)
      return;
    if (plan.trips(loop) > 1)
      word = word + getAffineDimExpr(loop, context) * (step / dim.lanes);
    lane = lane + getAffineDimExpr(numLoops + loop, context) * factor;
    lastLane += factor * (plan.folding.unroll[loop] - 1);
  }
  if (lastLane != dim.lanes - 1)
    return;
  dim.word = word;
  dim.lane = lane;
}

/// The part of an operand that the loops inside of the first `level` outer ones read; none if it is no box.
static std::optional<Buffer> partOf(const Plan &plan, const Access &access, unsigned level) {
  MLIRContext *context = access.map.getContext();
  const unsigned numLoops = plan.stage->extents.size();
  AffineExpr zero = getAffineConstantExpr(0, context);
  Buffer buffer;
  buffer.level = level;
  llvm::SmallBitVector isOutside(numLoops);
  for (unsigned loop : ArrayRef(plan.outer).take_front(level))
    isOutside.set(loop);
  for (auto [dim, expr] : llvm::enumerate(access.map.getResults())) {
    Linear linear(expr, numLoops);
    Buffer::Dim part;
    part.from = part.at = zero;
    if (access.shape[dim] == 1) {
    } else if (!linear.isLinear) {
      // Panels, which have divisions: all of the dimension.
      for (unsigned loop = 0; loop < numLoops; ++loop) {
        if (!expr.isFunctionOfDim(loop))
          continue;
        if (isOutside[loop])
          return std::nullopt;
        part.lanes *= plan.folding.unroll[loop];
      }
      part.at = plan.place(expr);
      part.size = access.shape[dim];
    } else {
      part.from = part.from + linear.constant;
      for (auto [loop, factor] : llvm::enumerate(linear.factors)) {
        if (factor < 0)
          return std::nullopt;
        // Lanes are inside, whatever loop they are of.
        int64_t lanes = plan.folding.unroll[loop];
        AffineExpr base = getAffineDimExpr(loop, context), lane = getAffineDimExpr(numLoops + loop, context);
        (isOutside[loop] ? part.from : part.at) = (isOutside[loop] ? part.from : part.at) + base * (factor * lanes);
        if (lanes > 1)
          part.at = part.at + lane * factor;
        part.size += factor * ((isOutside[loop] ? lanes : plan.stage->extents[loop]) - 1);
        if (factor != 0)
          part.lanes *= lanes;
      }
    }
    findWord(plan, part);
    buffer.dims.push_back(part);
  }
  return buffer;
}

/// The outermost outer loop that moves a window of reduction loops over a dimension of the operand.
static std::optional<std::pair<unsigned, unsigned>> windowOf(const Plan &plan, const Access &access) {
  const Stage &stage = *plan.stage;
  for (auto [position, outer] : llvm::enumerate(plan.outer))
    for (auto [dim, expr] : llvm::enumerate(access.map.getResults())) {
      Linear linear(expr, stage.extents.size());
      if (!linear.isLinear || linear.factors[outer] <= 0 || stage.extents[outer] == 1)
        continue;
      bool isWindow = false, isPlain = true;
      for (auto [loop, factor] : llvm::enumerate(linear.factors)) {
        isWindow |= factor > 0 && stage.isReduction[loop] && stage.extents[loop] > 1;
        isPlain &= factor == 0 || loop == outer || (factor > 0 && stage.isReduction[loop]);
      }
      if (isWindow && isPlain && plan.folding.unroll[outer] == 1)
        return std::pair(static_cast<unsigned>(position), static_cast<unsigned>(dim));
    }
  return std::nullopt;
}

/// What an operand needs on the chip; none if its elements are read when they are needed, each once.
static std::optional<Buffer> bufferFor(const Plan &plan, unsigned number) {
  const Access &access = plan.input(number);
  const Stage &stage = *plan.stage;
  if (plan.folding.streamed[number])
    return std::nullopt;
  if (auto window = windowOf(plan, access)) {
    auto [position, dim] = *window;
    std::optional<Buffer> rows = partOf(plan, access, position + 1);
    if (!rows)
      return std::nullopt;
    // The outer loop brings whole rows: what it adds to the start is the step.
    rows->rolling = static_cast<int>(dim);
    rows->step = Linear(access.map.getResult(dim), stage.extents.size()).factors[plan.outer[position]];
    // Of rows that are read at once each is a bank of its own, whatever row of the operand it holds.
    if (Buffer::Dim &row = rows->dims[dim]; row.lanes > 1) {
      row.lanes = row.size;
      row.word = getAffineConstantExpr(0, row.at.getContext());
      row.lane = row.at;
    }
    return rows;
  }
  // Loops that do not move the operand read it again.
  auto moves = [&](unsigned loop) { return dependsOn(access, loop); };
  auto isLoop = [&](unsigned loop) { return stage.extents[loop] > 1; };
  if (llvm::all_of(llvm::seq<unsigned>(stage.extents.size()),
                   [&](unsigned loop) { return !isLoop(loop) || moves(loop); }))
    return std::nullopt;
  // Inside of the outer loops that all move it, no part is brought twice. Parts of more of the loops are brought in longer
  // bursts.
  unsigned innermost = 0;
  while (innermost < plan.outer.size() && (!isLoop(plan.outer[innermost]) || moves(plan.outer[innermost])))
    ++innermost;
  std::optional<Buffer> chosen;
  for (unsigned level = 0; level <= innermost; ++level) {
    if (level > 0 && !isLoop(plan.outer[level - 1]))
      continue; // the same part
    std::optional<Buffer> part = partOf(plan, access, level);
    if (!part)
      continue;
    chosen = part;
    if (part->elements() * access.element.getIntOrFloatBitWidth() / 8 <= mostRowBytes)
      break;
  }
  return chosen;
}

/// A large array has words wider than what is read of it at once, so that it is filled as fast as the memory outside can
/// give: a block that is deep enough is not the larger for it.
static void widen(Buffer &buffer, int64_t elementBytes, const Board &board) {
  constexpr int64_t leastWords = 2048;
  Buffer::Dim &dim = buffer.dims.back();
  int64_t factor = 1;
  while (dim.size % (2 * factor * dim.lanes) == 0 && buffer.elements() >= leastWords * 2 * factor * buffer.lanes() &&
         static_cast<double>(2 * factor * dim.lanes * elementBytes) <= board.bytesPerCycle())
    factor *= 2;
  if (factor == 1 || static_cast<int>(buffer.dims.size()) - 1 == buffer.rolling)
    return;
  dim.lane = dim.word % factor * dim.lanes + dim.lane;
  dim.word = dim.word.floorDiv(factor);
  dim.lanes *= factor;
}

//===-- The plan ---------------------------------------------------------------------------===//

const Access &Plan::input(unsigned number) const {
  return number < stage->inputs.size() ? stage->inputs[number] : stage->epilogueInputs[number - stage->inputs.size()];
}

const Buffer *Plan::bufferOf(unsigned number) const {
  for (const Buffer &buffer : buffers)
    if (buffer.input == number)
      return &buffer;
  return nullptr;
}

int64_t Plan::lanes(bool reductionsToo) const {
  int64_t lanes = 1;
  for (auto [loop, factor] : llvm::enumerate(folding.unroll))
    if (reductionsToo || !stage->isReduction[loop])
      lanes *= factor;
  return lanes;
}

Plan::Plan(const Stage &stage, Folding folding, const Board &board) : stage(&stage), folding(std::move(folding)) {
  SmallVector<unsigned> parallel;
  int64_t reductionTrips = 1;
  for (unsigned loop = 0; loop < stage.extents.size(); ++loop) {
    (stage.isReduction[loop] ? reductions : parallel).push_back(loop);
    if (stage.isReduction[loop])
      reductionTrips *= trips(loop);
  }
  // A sum that is not done when the next term comes has to wait, unless others are summed up meanwhile.
  int64_t latency = reductionTrips > 1 ? sumLatency(stage, board.vendor) : 1, together = 1;
  unsigned numOuter = parallel.size();
  while (numOuter > 0 && together < latency)
    together *= trips(parallel[--numOuter]);
  if (latency == 1)
    numOuter = parallel.size();
  outer.assign(parallel.begin(), parallel.begin() + numOuter);
  inner.assign(parallel.begin() + numOuter, parallel.end());
  interval = llvm::divideCeil(latency, together);
  if (reductionTrips > 1)
    sums = {together, lanes(false) * static_cast<int64_t>(stage.sums.front().element.getIntOrFloatBitWidth()) *
                          static_cast<int64_t>(stage.sums.size())};

  for (unsigned number = 0; number < numInputs(); ++number) {
    std::optional<Buffer> buffer = bufferFor(*this, number);
    if (!buffer)
      continue;
    buffer->input = number;
    buffer->fillsLanes = !buffer->dims.empty() && input(number).strides.back() == 1;
    if (buffer->fillsLanes && buffer->isBanked())
      widen(*buffer, input(number).element.getIntOrFloatBitWidth() / 8, board);
    pipelineLevel = std::max(pipelineLevel, buffer->level);
    buffers.push_back(std::move(*buffer));
  }
  llvm::stable_sort(buffers, [](const Buffer &a, const Buffer &b) { return a.level < b.level; });
}

//===-- What it takes ----------------------------------------------------------------------===//

static int64_t iterations(const Plan &plan, unsigned level) {
  int64_t count = 1;
  for (unsigned loop : ArrayRef(plan.outer).take_front(level))
    count *= plan.trips(loop);
  return count;
}

/// Elements that a buffer is filled with in all iterations.
static int64_t filledElements(const Plan &plan, const Buffer &buffer) {
  int64_t times = iterations(plan, buffer.level);
  if (buffer.rolling < 0)
    return times * buffer.elements();
  int64_t rows = buffer.dims[buffer.rolling].size, rowElements = buffer.elements() / rows;
  int64_t first = iterations(plan, buffer.level - 1);
  return rowElements * (first * rows + (times - first) * std::min(rows, buffer.step));
}

int64_t Plan::externalBytes() const {
  auto bytesOf = [](const Access &access) { return int64_t(access.element.getIntOrFloatBitWidth()) / 8; };
  int64_t bytes = 0;
  for (unsigned number = 0; number < numInputs(); ++number) {
    const Access &access = input(number);
    if (const Buffer *buffer = bufferOf(number)) {
      bytes += filledElements(*this, *buffer) * bytesOf(access);
      continue;
    }
    // Read when needed: in each iteration, once for all lanes that share it. The epilogue does not run in all of them.
    int64_t reads = 1;
    for (unsigned loop = 0; loop < stage->extents.size(); ++loop)
      if (number < stage->inputs.size() || !stage->isReduction[loop])
        reads *= dependsOn(access, loop) ? stage->extents[loop] : trips(loop);
    bytes += reads * bytesOf(access);
  }
  for (const Access &result : stage->results) {
    int64_t writes = 1;
    for (auto [extent, isReduction] : llvm::zip(stage->extents, stage->isReduction))
      writes *= isReduction ? 1 : extent;
    bytes += writes * bytesOf(result);
  }
  return bytes;
}

int64_t Plan::cycles(const Board &board) const {
  int64_t total = 0;
  for (const Buffer &buffer : buffers)
    total += filledElements(*this, buffer) / (buffer.fillsLanes ? buffer.dims.back().lanes : 1) +
             iterations(*this, buffer.level) * pipelineDepth;
  int64_t points = 1;
  for (unsigned loop = 0; loop < stage->extents.size(); ++loop)
    points *= trips(loop);
  total += points * interval + iterations(*this, pipelineLevel) * pipelineDepth;
  return std::max(total, int64_t(double(externalBytes()) / board.bytesPerCycle()));
}

int64_t Plan::multipliers(const Board &board) const {
  Cost cost(board.vendor);
  int64_t count = 0;
  if (stage->contraction())
    count += lanes(true) * cost.product(stage->inputs[0].element, stage->inputs[1].element);
  else if (auto structured = stage->structured())
    count += lanes(true) * cost.body(structured);
  if (stage->epilogue)
    count += lanes(false) * cost.body(stage->epilogue);
  return count;
}

SmallVector<OnChip> Plan::memories() const {
  SmallVector<OnChip> all;
  for (const Buffer &buffer : buffers)
    all.push_back(buffer.memory(input(buffer.input).element.getIntOrFloatBitWidth()));
  if (sums.words > 0)
    all.push_back(sums);
  return all;
}

int64_t Plan::memoryBits() const {
  int64_t bits = 0;
  for (OnChip memory : memories())
    bits += memory.words * memory.wordBits;
  return bits;
}

} // namespace mlc::fpga
