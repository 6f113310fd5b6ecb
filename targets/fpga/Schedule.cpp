#include "fpga/Schedule.h"
#include "Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace mlc::fpga {

//===-- Layers -----------------------------------------------------------------------------===//

template <typename F> static int64_t sumOf(const Layer &layer, F of) {
  int64_t total = 0;
  for (const Plan &plan : layer.plans)
    total += of(plan);
  return total;
}

int64_t Layer::cycles(const Board &board) const {
  return sumOf(*this, [&](const Plan &plan) { return plan.cycles(board); });
}
int64_t Layer::multipliers(const Board &board) const {
  return sumOf(*this, [&](const Plan &plan) { return plan.multipliers(board); });
}
int64_t Layer::externalBytes() const {
  return sumOf(*this, [](const Plan &plan) { return plan.externalBytes(); });
}

SmallVector<OnChip> Layer::memories() const {
  SmallVector<OnChip> all;
  for (const Plan &plan : plans)
    llvm::append_range(all, plan.memories());
  return all;
}

std::string Layer::nodes() const {
  llvm::SetVector<StringRef> names;
  for (const Stage &stage : stages)
    stage.collectNames(names);
  return joinNames(names.getArrayRef());
}

/// How often a run launches each function: calls of the graph that stand in loops count once.
static llvm::StringMap<int64_t> countLaunches(ModuleOp module) {
  llvm::StringMap<int64_t> calls, launches;
  module.walk([&](func::CallOp call) { ++calls[call.getCallee()]; });
  module.walk([&](mlir::gpu::LaunchFuncOp launch) {
    auto host = launch->getParentOfType<func::FuncOp>();
    launches[launch.getKernelName().getValue()] += host ? std::max<int64_t>(calls.lookup(host.getName()), 1) : 1;
  });
  return launches;
}

FailureOr<Schedule> Schedule::read(ModuleOp module) {
  FailureOr<std::pair<const Target *, TargetAttr>> target = targetOf(module);
  if (failed(target))
    return failure();
  FailureOr<Board> board = readBoard(module.getContext(), target->second.getChip());
  if (failed(board))
    return failure();
  Schedule schedule{*board, {}};
  llvm::StringMap<int64_t> launches = countLaunches(module);
  SmallVector<mlir::gpu::GPUFuncOp> functions;
  for (auto device : module.getOps<mlir::gpu::GPUModuleOp>())
    llvm::append_range(functions, device.getOps<mlir::gpu::GPUFuncOp>());
  schedule.layers.resize(functions.size());
  for (auto [layer, function] : llvm::zip(schedule.layers, functions)) {
    FailureOr<std::vector<Stage>> stages = readStages(function.getBody());
    if (failed(stages))
      return failure();
    layer.function = function;
    layer.launches = std::max<int64_t>(launches.lookup(function.getName()), 1);
    layer.stages = std::move(*stages);
    for (const Stage &stage : layer.stages) {
      FailureOr<Folding> folding = Folding::read(stage);
      if (failed(folding))
        return failure();
      layer.plans.emplace_back(stage, *folding, schedule.board);
      if (!layer.plans.back().isBanked())
        return stage.op->emitError("expects loops unrolled so that what is read at once is one word of an array on the "
                                   "chip; unroll the innermost loops first");
    }
  }
  return schedule;
}

//===-- Room -------------------------------------------------------------------------------===//

/// What is smaller is made of logic.
static constexpr int64_t leastBlockBits = 1024;

/// Blocks of a kind for an array: as many side by side as a word needs, as many of these as hold all words.
static int64_t blocksFor(OnChip memory, const MemoryKind &kind) {
  int64_t columns = llvm::divideCeil(memory.wordBits, kind.width);
  int64_t bitsOfColumn = memory.words * llvm::divideCeil(memory.wordBits, columns);
  return columns * static_cast<int64_t>(llvm::divideCeil(bitsOfColumn, kind.bytes * 8));
}

/// Puts arrays into blocks, the largest first: into the largest blocks of which they fill half, so that the small ones are
/// left for small arrays; else where least is wasted. Returns the first that there is no room for; `placed` learns the
/// blocks of each of the others.
static std::optional<OnChip> place(ArrayRef<OnChip> memories, const Board &board, Blocks &used,
                                   SmallVectorImpl<Blocks> *placed = nullptr) {
  auto bitsOf = [](OnChip memory) { return memory.words * memory.wordBits; };
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(memories.size()));
  llvm::stable_sort(order, [&](size_t a, size_t b) { return bitsOf(memories[a]) > bitsOf(memories[b]); });
  if (placed)
    placed->assign(memories.size(), Blocks(board.memory.size(), 0));
  SmallVector<size_t> kinds = llvm::to_vector(llvm::seq<size_t>(board.memory.size()));
  llvm::stable_sort(kinds, [&](size_t a, size_t b) { return board.memory[a].bytes > board.memory[b].bytes; });
  for (size_t number : order) {
    OnChip memory = memories[number];
    if (bitsOf(memory) <= leastBlockBits)
      continue;
    std::optional<size_t> best;
    int64_t leastBits = 0;
    for (size_t i : kinds) {
      const MemoryKind &kind = board.memory[i];
      int64_t needed = blocksFor(memory, kind), bits = needed * kind.bytes * 8;
      if (used[i] + needed > kind.blocks || (best && bits >= leastBits))
        continue;
      best = i;
      leastBits = bits;
      if (bits <= 2 * bitsOf(memory))
        break;
    }
    if (!best)
      return memory;
    used[*best] += blocksFor(memory, board.memory[*best]);
    if (placed)
      (*placed)[number][*best] = blocksFor(memory, board.memory[*best]);
  }
  return std::nullopt;
}

static Blocks none(const Board &board) { return Blocks(board.memory.size(), 0); }

static SmallVector<OnChip> memoriesOf(ArrayRef<Layer> layers) {
  SmallVector<OnChip> all;
  for (const Layer &layer : layers)
    llvm::append_range(all, layer.memories());
  return all;
}

Blocks Schedule::blocks() const {
  Blocks used = none(board);
  place(memoriesOf(layers), board, used);
  return used;
}

bool Schedule::hasRoom() const {
  Blocks used = none(board);
  return !place(memoriesOf(layers), board, used);
}

int64_t Schedule::cycles() const {
  int64_t total = 0;
  for (const Layer &layer : layers)
    total += layer.cycles(board) * layer.launches;
  return total;
}

int64_t Schedule::multipliers() const {
  int64_t total = 0;
  for (const Layer &layer : layers)
    total += layer.multipliers(board);
  return total;
}

LogicalResult Schedule::checkBudget() const {
  int64_t multipliers = 0;
  for (auto [number, layer] : llvm::enumerate(layers)) {
    auto refuse = [&, &layer = layer] {
      return layer.stages.front().op->emitError("layer '")
             << layer.name() << "' (" << layer.nodes() << ") does not fit board '" << board.name << "': ";
    };
    constexpr StringLiteral advice = "; take a larger board, or a smaller model";
    int64_t own = layer.multipliers(board);
    multipliers += own;
    if (multipliers > board.multipliers)
      return refuse() << "it needs " << own << " multipliers, and " << board.multipliers - (multipliers - own) << " of "
                      << board.multipliers << " are left by the layers before it, " << multipliers - board.multipliers
                      << " too few" << advice;
    Blocks used = none(board);
    std::optional<OnChip> refused = place(memoriesOf(ArrayRef(layers).take_front(number + 1)), board, used);
    if (!refused)
      continue;
    InFlightDiagnostic error = refuse();
    int64_t bytes = 0;
    for (OnChip memory : layer.memories())
      bytes += llvm::divideCeil(memory.words * memory.wordBits, 8);
    error << "with the layers before it there is no room for its " << bytes << " bytes on the chip; an array of "
          << llvm::divideCeil(refused->words * refused->wordBits, 8) << " bytes needs ";
    for (auto [i, kind] : llvm::enumerate(board.memory)) {
      int64_t needed = blocksFor(*refused, kind), left = kind.blocks - used[i];
      error << (i ? ", or " : "") << needed << " blocks of " << kind.kind << ", of which " << left << " are left, "
            << needed - left << " too few";
    }
    return error << advice;
  }
  return success();
}

//===-- Folding ----------------------------------------------------------------------------===//

namespace {

/// The search: start with nothing unrolled; bring what does not fit from outside; then, again and again, unroll where it
/// saves most cycles for what it takes.
class Search {
public:
  explicit Search(Schedule &schedule) : schedule(schedule), board(schedule.board) {}
  void run();

private:
  struct Move {
    size_t layer, stage;
    Plan plan;
    int64_t saved;       ///< cycles of a run
    int64_t multipliers; ///< more than before
    int64_t bits;        ///< of memory, more than before
    double worth = 0;
  };

  void makeRoom();
  void collect(size_t layer, size_t stage);
  bool fits(const Move &move);

  Schedule &schedule;
  const Board &board;
  std::vector<Move> moves;
};

/// The least divisor of `extent` that is a multiple of `factor` and larger; 0 if there is none.
int64_t nextFactor(int64_t extent, int64_t factor) {
  for (int64_t next = 2 * factor; next <= extent; next += factor)
    if (extent % next == 0)
      return next;
  return 0;
}

/// Foldings one step further than `folding`.
SmallVector<Folding> steps(const Stage &stage, const Folding &folding) {
  SmallVector<Folding> result;
  auto unroll = [&](unsigned loop, int64_t factor) {
    Folding next = folding;
    next.unroll[loop] = factor;
    result.push_back(std::move(next));
  };
  SmallVector<unsigned> parallel, reductions;
  for (unsigned loop = 0; loop < stage.extents.size(); ++loop)
    (stage.isReduction[loop] ? reductions : parallel).push_back(loop);
  // Columns, or channels; of a matrix product also rows, which makes the array of multipliers two-dimensional.
  if (!parallel.empty())
    if (int64_t factor = nextFactor(stage.extents[parallel.back()], folding.unroll[parallel.back()]))
      unroll(parallel.back(), factor);
  if (stage.contraction() && parallel.size() == 2)
    if (int64_t factor = nextFactor(stage.extents[parallel[0]], folding.unroll[parallel[0]]))
      unroll(parallel[0], factor);
  // Terms of a sum, from the innermost loop on. Floats are added in the order that the model says, one after the other, so
  // that only all of them at once helps: then there is no sum to wait for.
  if (!stage.reduces())
    return result;
  if (stage.sumsIntegers()) {
    for (unsigned loop : llvm::reverse(reductions))
      if (int64_t factor = nextFactor(stage.extents[loop], folding.unroll[loop])) {
        unroll(loop, factor);
        break;
      }
    return result;
  }
  constexpr int64_t mostTerms = 64;
  int64_t terms = 1;
  for (unsigned loop : reductions)
    terms *= stage.extents[loop];
  if (terms > 1 && terms <= mostTerms) {
    Folding next = folding;
    for (unsigned loop : reductions)
      next.unroll[loop] = stage.extents[loop];
    result.push_back(std::move(next));
  }
  return result;
}

/// By whoever wrote the text that is compiled.
bool isDecided(const Plan &plan) { return plan.stage->op->hasAttr(foldingAttrName); }

void Search::makeRoom() {
  while (true) {
    if (schedule.hasRoom())
      return;
    // Of all that is held on the chip, what saves fewest cycles for its size.
    Plan *worst = nullptr;
    std::optional<Plan> without;
    double least = std::numeric_limits<double>::infinity();
    for (Layer &layer : schedule.layers)
      for (Plan &plan : layer.plans)
        for (const Buffer &buffer : plan.buffers) {
          if (isDecided(plan))
            continue;
          Folding folding = plan.folding;
          folding.streamed[buffer.input] = true;
          Plan other(*plan.stage, folding, board);
          int64_t freed = plan.memoryBits() - other.memoryBits();
          if (freed <= leastBlockBits)
            continue;
          double cost = double((other.cycles(board) - plan.cycles(board)) * layer.launches) / double(freed);
          if (cost >= least)
            continue;
          least = cost;
          worst = &plan;
          without = other;
        }
    if (!worst)
      return; // checkBudget will say so
    *worst = *without;
  }
}

void Search::collect(size_t layerNumber, size_t stageNumber) {
  llvm::erase_if(moves, [&](const Move &move) { return move.layer == layerNumber && move.stage == stageNumber; });
  const Layer &layer = schedule.layers[layerNumber];
  const Plan &now = layer.plans[stageNumber];
  if (isDecided(now))
    return;
  for (Folding &folding : steps(*now.stage, now.folding)) {
    Move move{layerNumber, stageNumber, Plan(*now.stage, folding, board), 0, 0, 0};
    move.saved = (now.cycles(board) - move.plan.cycles(board)) * layer.launches;
    move.multipliers = move.plan.multipliers(board) - now.multipliers(board);
    move.bits = move.plan.memoryBits() - now.memoryBits();
    if (move.saved <= 0 || !move.plan.isBanked())
      continue;
    double bits = 0;
    for (const MemoryKind &kind : board.memory)
      bits += double(kind.blocks * kind.bytes * 8);
    double price = double(std::max<int64_t>(move.multipliers, 0)) / double(board.multipliers) +
                   double(std::max<int64_t>(move.bits, 0)) / bits + 1e-6;
    move.worth = double(move.saved) / price;
    moves.push_back(std::move(move));
  }
}

bool Search::fits(const Move &move) {
  if (schedule.multipliers() + move.multipliers > board.multipliers)
    return false;
  Plan &plan = schedule.layers[move.layer].plans[move.stage];
  Plan before = plan;
  plan = move.plan;
  bool hasRoom = schedule.hasRoom();
  plan = before;
  return hasRoom;
}

void Search::run() {
  makeRoom();
  for (size_t layer = 0; layer < schedule.layers.size(); ++layer)
    for (size_t stage = 0; stage < schedule.layers[layer].plans.size(); ++stage)
      collect(layer, stage);
  while (!moves.empty()) {
    auto best =
        std::max_element(moves.begin(), moves.end(), [](const Move &a, const Move &b) { return a.worth < b.worth; });
    Move move = std::move(*best);
    moves.erase(best);
    if (!fits(move))
      continue; // nor will it later, when there is less room
    schedule.layers[move.layer].plans[move.stage] = move.plan;
    collect(move.layer, move.stage);
  }
}

} // namespace

LogicalResult Schedule::fold() {
  Search(*this).run();
  for (const Layer &layer : layers)
    for (const Plan &plan : layer.plans)
      plan.folding.write(*plan.stage);
  return checkBudget();
}

//===-- Report -----------------------------------------------------------------------------===//

std::string Schedule::summary() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << llvm::formatv("{0} layers on board '{1}': {2} of {3} multipliers", layers.size(), board.name, multipliers(),
                       board.multipliers);
  Blocks used = blocks();
  for (auto [kind, count] : llvm::zip(board.memory, used))
    out << llvm::formatv(", {0} of {1} blocks of {2}", count, kind.blocks, kind.kind);
  out << llvm::formatv("; about {0} cycles a run, {1:F1} runs a second at {2} MHz", cycles(), 1 / seconds(),
                       board.clock);
  return text;
}

static std::string oneDecimal(double value) { return llvm::formatv("{0:F1}", value).str(); }

static std::string listBlocks(const Board &board, const Blocks &blocks) {
  SmallVector<std::string> parts;
  for (auto [kind, count] : llvm::zip(board.memory, blocks))
    if (count)
      parts.push_back(std::to_string(count) + " " + kind.kind);
  return parts.empty() ? "-" : llvm::join(parts, ", ");
}

/// "4x16" for each nest: sums at once, and terms of each.
static std::string describeCircuits(const Layer &layer) {
  SmallVector<std::string> circuits;
  for (const Plan &plan : layer.plans) {
    std::string own = std::to_string(plan.lanes(false)) + "x" + std::to_string(plan.lanes(true) / plan.lanes(false));
    if (int64_t count = llvm::count(plan.folding.streamed, true))
      own += " " + std::to_string(count) + " streamed";
    if (plan.interval > 1)
      own += " every " + std::to_string(plan.interval) + " cycles";
    circuits.push_back(own);
  }
  return llvm::join(circuits, ", ");
}

std::vector<LayerReport> Schedule::reports() const {
  Blocks used = none(board);
  SmallVector<Blocks> placed;
  place(memoriesOf(layers), board, used, &placed);
  std::vector<LayerReport> reports;
  size_t nextArray = 0;
  for (const Layer &layer : layers) {
    Blocks own = none(board);
    for (size_t i = 0, count = layer.memories().size(); i < count; ++i, ++nextArray)
      for (auto [sum, blocks] : llvm::zip(own, placed[nextArray]))
        sum += blocks;
    int64_t cycles = layer.cycles(board);
    reports.push_back({layer.name().str(), std::to_string(layer.launches), std::to_string(layer.multipliers(board)),
                       listBlocks(board, own), oneDecimal(double(layer.externalBytes()) / 1024), std::to_string(cycles),
                       oneDecimal(double(board.clock) * 1e6 / double(cycles * layer.launches)),
                       describeCircuits(layer) + "; " + layer.nodes()});
  }
  return reports;
}

std::string Schedule::report() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  auto print = [&](const LayerReport &row) {
    out << llvm::formatv("{0,-36} {1,4} {2,11} {3,19} {4,8} {5,9} {6,9}  {7}\n", row.layer, row.runs, row.multipliers,
                         row.blocks, row.moved, row.cycles, row.rate, row.circuits);
  };
  print({"layer", "runs", "multipliers", "blocks", "kB moved", "cycles", "runs/s", "circuits; nodes"});
  for (const LayerReport &row : reports())
    print(row);
  int64_t bytes = 0, launches = 0;
  for (const Layer &layer : layers) {
    launches += layer.launches;
    bytes += layer.externalBytes() * layer.launches;
  }
  Blocks available;
  for (const MemoryKind &kind : board.memory)
    available.push_back(kind.blocks);
  print({"all, one after the other", std::to_string(launches), std::to_string(multipliers()),
         listBlocks(board, blocks()), oneDecimal(double(bytes) / 1024), std::to_string(cycles()),
         oneDecimal(1 / seconds()), ""});
  print({"board " + board.name, "", std::to_string(board.multipliers), listBlocks(board, available), "", "", "",
         llvm::formatv("{0} MHz, {1} MB/s", board.clock, board.bandwidth).str()});
  return text;
}

} // namespace mlc::fpga
