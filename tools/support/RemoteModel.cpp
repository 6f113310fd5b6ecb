#include "RemoteModel.h"
#include "Errors.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/Program.h"
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace llvm;

namespace mlc {

using runner::Request;

//===-- The process ----------------------------------------------------------------===//

Expected<std::unique_ptr<RemoteModel>> RemoteModel::start(StringRef command, StringRef runner, StringRef path) {
  BumpPtrAllocator allocator;
  StringSaver saver(allocator);
  SmallVector<const char *> words;
  cl::TokenizeGNUCommandLine(command, saver, words);
  words.append({saver.save(runner).data(), saver.save(path).data(), nullptr});
  ErrorOr<std::string> program = sys::findProgramByName(words.front());
  if (!program)
    return fail("cannot run '" + Twine(words.front()) + "': " + program.getError().message());

  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
    return fail("cannot make a socket: " + sys::StrError());
  pid_t process = fork();
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a tool that is killed leaves no emulator behind
    dup2(ends[1], STDIN_FILENO);
    execv(program->c_str(), const_cast<char *const *>(words.data()));
    _exit(127);
  }
  close(ends[1]);
  if (process < 0) {
    close(ends[0]);
    return fail("cannot start a process: " + sys::StrError());
  }
  std::unique_ptr<RemoteModel> model(new RemoteModel(process, ends[0]));
  if (Error error = model->readInfo())
    return error;
  return model;
}

RemoteModel::RemoteModel(pid_t process, int socket) : process(process), socket(socket), connection(socket) {
  model.self = this;
  mlc_model &table = model.table = {};
  table.version = MLC_VERSION;
  table.size = sizeof table;
  table.info = &info;
  table.session_create = createSession;
  table.session_destroy = destroySession;
  table.run = run;
  table.query_memory = queryMemory;
  table.query_output = queryOutput;
  table.release = [](void *) {};
  table.kernel_times = [](const mlc_session *) -> const mlc_kernel_time * { return nullptr; };
  table.reset_kernel_times = [](mlc_session *) {};
}

RemoteModel::~RemoteModel() {
  close(socket); // which is how the runner knows
  if (process > 0)
    waitpid(process, nullptr, 0);
}

std::string RemoteModel::describeEnd() {
  int status = 0;
  if (process > 0 && waitpid(process, &status, 0) == process) {
    process = 0;
    if (WIFSIGNALED(status))
      return std::string("the model's process has crashed: ") + strsignal(WTERMSIG(status));
    if (WIFEXITED(status))
      return "the model's process has ended with " + std::to_string(WEXITSTATUS(status));
  }
  return "the model's process has ended";
}

//===-- What it loaded ---------------------------------------------------------------===//

StringRef RemoteModel::readText() {
  uint64_t length = connection.get();
  char *text = allocator.Allocate<char>(length + 1);
  connection.get(text, length);
  text[length] = 0;
  return {text, length};
}

ArrayRef<mlc_port> RemoteModel::readPorts() {
  size_t count = connection.get();
  MutableArrayRef<mlc_port> ports(allocator.Allocate<mlc_port>(count), count);
  for (mlc_port &port : ports) {
    port.name = readText().data();
    port.type = connection.get();
    port.rank = connection.get();
    int64_t *extents = allocator.Allocate<int64_t>(port.rank);
    connection.get(extents, port.rank * sizeof *extents);
    port.extents = extents;
    port.kind = MLC_TENSOR; // the runner passes no others
    port.optional = 0;
    port.key = MLC_UNDEFINED;
  }
  return ports;
}

Error RemoteModel::readInfo() {
  StringRef problem = readText();
  if (!connection.isOpen())
    return fail(describeEnd());
  if (!problem.empty())
    return fail("not a shared library that can be loaded: " + problem);
  auto readList = [&](auto readElement) {
    using Element = decltype(readElement());
    size_t count = connection.get();
    MutableArrayRef<Element> list(allocator.Allocate<Element>(count), count);
    for (Element &element : list)
      element = readElement();
    return list;
  };
  auto readWord = [&] { return readText().data(); };

  info.code_abi = connection.get();
  ArrayRef<mlc_port> inputs = readPorts(), outputs = readPorts();
  info.inputs = inputs.data(), info.input_count = inputs.size();
  info.outputs = outputs.data(), info.output_count = outputs.size();
  auto symbols = readList(readWord);
  info.symbols = symbols.data(), info.symbol_count = symbols.size();
  auto properties = readList([&] {
    const char *key = readWord();
    return mlc_property{key, readWord()};
  });
  info.properties = properties.data(), info.property_count = properties.size();
  auto kernels = readList(readWord);
  info.kernels = kernels.data(), info.kernel_count = kernels.size();
  info.name = readWord();
  return connection.isOpen() ? Error::success() : fail(describeEnd());
}

//===-- The table --------------------------------------------------------------------===//

/// A session there, and the outputs of its last run.
struct RemoteModel::Session {
  mlc_session handle; ///< first, so that what is handed a session finds this
  uint64_t there;
  std::vector<std::vector<char>> data;
  std::vector<std::vector<int64_t>> extents;
};

RemoteModel &RemoteModel::of(const mlc_model *table) { return *reinterpret_cast<const Model *>(table)->self; }

mlc_status RemoteModel::readStatus(mlc_error *error) {
  auto status = static_cast<mlc_status>(connection.get());
  std::string text = readText().str();
  if (!connection.isOpen())
    return mlc_report(error, MLC_FAILED, describeEnd().c_str());
  return mlc_report(error, status, text.c_str());
}

mlc_status RemoteModel::createSession(const mlc_model *table, const mlc_session_options *options, mlc_session **session,
                                      mlc_error *error) {
  RemoteModel &model = of(table);
  model.connection.put(static_cast<uint64_t>(Request::CreateSession));
  model.connection.put(options ? options->threads : 0);
  mlc_status status = model.readStatus(error);
  if (status == MLC_OK)
    *session = &(new Session{{table}, model.connection.get(), {}, {}})->handle;
  return status;
}

void RemoteModel::destroySession(mlc_session *handle) {
  auto *session = reinterpret_cast<Session *>(handle);
  RemoteModel &model = of(handle->model);
  model.connection.put(static_cast<uint64_t>(Request::DestroySession));
  model.connection.put(session->there);
  model.readStatus(nullptr);
  delete session;
}

mlc_status RemoteModel::run(mlc_session *handle, const mlc_input *inputs, uint32_t inputCount, mlc_output *outputs,
                            uint32_t outputCount, mlc_error *error) {
  auto *session = reinterpret_cast<Session *>(handle);
  RemoteModel &model = of(handle->model);
  runner::Connection &connection = model.connection;
  connection.put(static_cast<uint64_t>(Request::Run));
  connection.put(session->there);
  connection.put(inputCount);
  for (const mlc_input &input : ArrayRef(inputs, inputCount)) {
    connection.put(input.type);
    connection.put(input.rank);
    connection.put(input.extents, input.rank * sizeof *input.extents);
    connection.put(input.bytes);
    connection.put(input.data, input.bytes);
  }
  if (mlc_status status = model.readStatus(error); status != MLC_OK)
    return status;
  session->data.resize(outputCount);
  session->extents.resize(outputCount);
  for (uint32_t i = 0; i < outputCount; ++i) {
    mlc_output &output = outputs[i];
    output.type = connection.get();
    output.rank = connection.get();
    session->extents[i].resize(output.rank);
    connection.get(session->extents[i].data(), output.rank * sizeof(int64_t));
    session->data[i].resize(connection.get());
    connection.get(session->data[i].data(), session->data[i].size());
    output.extents = session->extents[i].data();
    output.data = session->data[i].data();
    output.bytes = session->data[i].size();
  }
  return connection.isOpen() ? MLC_OK : mlc_report(error, MLC_FAILED, model.describeEnd().c_str());
}

mlc_status RemoteModel::queryMemory(const mlc_model *table, const int64_t *symbols, uint64_t *bytes, mlc_error *error) {
  RemoteModel &model = of(table);
  model.connection.put(static_cast<uint64_t>(Request::QueryMemory));
  model.connection.put(symbols, model.info.symbol_count * sizeof *symbols);
  mlc_status status = model.readStatus(error);
  if (status == MLC_OK)
    *bytes = model.connection.get();
  return status;
}

mlc_status RemoteModel::queryOutput(const mlc_model *table, uint32_t output, const int64_t *symbols, int64_t *extents,
                                    mlc_error *error) {
  RemoteModel &model = of(table);
  if (output >= model.info.output_count)
    return mlc_report(error, MLC_INVALID_ARGUMENT, "there is no such output");
  model.connection.put(static_cast<uint64_t>(Request::QueryOutput));
  model.connection.put(output);
  model.connection.put(symbols, model.info.symbol_count * sizeof *symbols);
  mlc_status status = model.readStatus(error);
  if (status == MLC_OK)
    model.connection.get(extents, model.info.outputs[output].rank * sizeof *extents);
  return status;
}

} // namespace mlc
