// mlc verify: a model on test data with known outputs.
#include "CodegenOptions.h"
#include "Verbs.h"
#include "support/Compare.h"
#include "support/DataSets.h"
#include "support/Model.h"
#include "support/Table.h"
#include "support/TextData.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc {

static std::string formatError(double error) {
  std::string text;
  raw_string_ostream(text) << format("%.3g", error);
  return text;
}

namespace {
/// Runs data sets, prints a line for each output, and remembers whether all were right.
class Verifier {
public:
  Verifier(const Library &library, Session session, Tolerances tolerances)
      : library(library), session(std::move(session)), tolerances(std::move(tolerances)) {}

  Error verify(const DataSet &set) {
    return verify(set.name, [&](Judge judge) { return runDataSet(library, session, set, judge); });
  }
  Error verify(const TextDataSet &set) {
    return verify(set.name, [&](Judge judge) {
      return runTextData(library, session, set,
                         [&](const mlc_port &port, const Tensor &got, const Tensor &want) { judge(port, got, &want); });
    });
  }
  bool allMatch() const { return matches; }

private:
  using Judge = function_ref<void(const mlc_port &, const Tensor &, const Tensor *)>;
  const Library &library;
  Session session;
  Tolerances tolerances;
  bool matches = true;

  Error verify(StringRef name, function_ref<Error(Judge)> run) {
    using enum Table::Align;
    Table table({Left, Left, Left, Left});
    Error error = run([&](const mlc_port &port, const Tensor &got, const Tensor *want) {
      if (!want) {
        table.row({port.name, formatType(got), "nothing is expected", "not compared"});
        return;
      }
      Comparison result = compare(got, *want, tolerances.of(port.name));
      table.row({port.name, formatType(*want), "largest error " + formatError(result.largestError),
                 result.matches ? "ok" : "MISMATCH: " + result.mismatch});
      matches &= result.matches;
    });
    if (error)
      return error;
    outs() << name << "\n";
    table.print(outs(), /*indent=*/2);
    return Error::success();
  }
};
} // namespace

/// Those of a tolerance.json beside the data or in the folder above it, unless the user has said others.
static Expected<Tolerances> tolerancesFor(StringRef folder, std::optional<double> rtol, std::optional<double> atol) {
  Tolerances result;
  result.loosest = {rtol.value_or(result.loosest.rtol), atol.value_or(result.loosest.atol)};
  if (rtol || atol)
    return result;
  for (StringRef place : {folder, sys::path::parent_path(folder)}) {
    SmallString<128> path(place);
    sys::path::append(path, "tolerance.json");
    if (sys::fs::exists(path))
      return readTolerances(path);
  }
  return result;
}

namespace {
/// What a model is compared with: data sets of one of the two kinds, and what their outputs may be off by.
struct Data {
  SmallVector<DataSet> folders;
  std::vector<TextDataSet> texts;
  Tolerances tolerances;
};
} // namespace

/// Data in an ONNX text file, where `place` is one, or in a folder.
static Expected<Data> readData(StringRef place, std::optional<double> rtol, std::optional<double> atol) {
  Data data;
  if (place.ends_with(".onnxtxt")) {
    Expected<TextData> text = readTextData(place);
    if (!text)
      return text.takeError();
    if (text->sets.empty())
      return fail(place + ": has no data; expects --data, or lines that begin with #in and #out");
    data.texts = std::move(text->sets);
    data.tolerances.loosest = {rtol.value_or(text->tolerance.rtol), atol.value_or(text->tolerance.atol)};
    return data;
  }
  Expected<SmallVector<DataSet>> sets = findDataSets(place);
  if (!sets)
    return sets.takeError();
  Expected<Tolerances> tolerances = tolerancesFor(place, rtol, atol);
  if (!tolerances)
    return tolerances.takeError();
  data.folders = std::move(*sets);
  data.tolerances = std::move(*tolerances);
  return data;
}

/// Where data are looked for when the user does not say: in a text model itself, or beside the model.
static std::string usualPlace(StringRef model) {
  if (model.ends_with(".onnxtxt"))
    return model.str();
  StringRef folder = sys::path::parent_path(model);
  return folder.empty() ? "." : folder.str();
}

Error runVerify(CommandLine &line) {
  Options options;
  std::string place, runner;
  std::optional<double> rtol, atol;
  int threads = 0;
  line.positional("model", options.input);
  line.option("data", "DIR", place, "folder with test_data_set_*, or one of them (the model's folder)");
  line.option("rtol", "R", rtol, "allowed error: atol + rtol * |expected| (1e-3)");
  line.option("atol", "A", atol, "see --rtol (1e-5)");
  line.option("threads", "N", threads, "threads that compute (0: one for each core)");
  addCodegenOptions(line, options);
  addRunnerOption(line, runner);
  line.explain(
      "MODEL is a compiled .so, or a model that is compiled first and not kept. Data are laid out as ONNX's own\n"
      "tests: test_data_set_N/input_M.pb and output_M.pb. Types and extents must be the same, integers and bools\n"
      "exact, NaN where NaN is expected. Without --rtol and --atol, a tolerance.json beside the data is used.\n"
      "An input whose rank MODEL leaves open gets that of the first data set.\n\n"
      "An ONNX text model (.onnxtxt) may hold its data itself, in comments: `#in x = float[2] {1, 2}`, `#out y = "
      "...`,\n"
      "`#fails TEXT` for a run that ends with an error, `#tolerance RTOL ATOL` (exact).\n\n"
      "Exits with 1 where an output differs.\n\n"
      "Example:\n"
      "  mlc verify resnet50.onnx --data resnet50/test_data_set_0");
  if (Error error = line.parse())
    return error;
  if (Error error = expectFile(options.input))
    return error;
  Expected<Data> data = readData(place.empty() ? usualPlace(options.input) : place, rtol, atol);
  if (!data)
    return data.takeError();
  // Inputs whose rank a model leaves open have that of the data.
  options.shapes.rankOf = [&data](unsigned input) -> std::optional<int64_t> {
    return data->folders.empty() ? std::nullopt : rankOfInput(data->folders.front(), input);
  };
  Expected<LoadedModel> loaded = loadModel(options, runner);
  if (!loaded)
    return loaded.takeError();
  const Library &library = loaded->library;
  Expected<Session> session = Session::create(library, threads);
  if (!session)
    return inContext(options.input, session.takeError());

  Verifier verifier(library, std::move(*session), std::move(data->tolerances));
  for (const DataSet &set : data->folders)
    if (Error error = verifier.verify(set))
      return inContext(options.input, std::move(error));
  for (const TextDataSet &set : data->texts)
    if (Error error = verifier.verify(set))
      return inContext(options.input, std::move(error));
  return verifier.allMatch() ? Error::success() : alreadyReported();
}

} // namespace mlc
