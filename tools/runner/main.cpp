// mlc-runner: loads a compiled model on the machine that it is for, and runs it for a tool that is elsewhere.
//
//   qemu-aarch64 -L /usr/aarch64-linux-gnu mlc-runner model.so
//
// Started by tools/support/RemoteModel.cpp, with a socket as standard input. Like a model itself it needs libc alone.
#include "Protocol.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

using namespace mlc::runner;

namespace {

template <typename T> T *allocate(size_t count) {
  void *block = calloc(count ? count : 1, sizeof(T));
  if (!block) {
    fprintf(stderr, "mlc-runner: out of memory\n");
    exit(1);
  }
  return static_cast<T *>(block);
}

class Runner {
public:
  explicit Runner(Connection &tool) : tool(tool) {}

  bool load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
      return refuse(dlerror());
    auto entry = reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry"));
    if (!entry)
      return refuse("it has no mlc_model_entry");
    model = entry(MLC_VERSION);
    if (!model)
      return refuse("it was compiled for another version of the interface");
    if (!isPassable(model->info->inputs, model->info->input_count) ||
        !isPassable(model->info->outputs, model->info->output_count))
      return refuse(onlyTensors);
    tool.putText("");
    putInfo(*model->info);
    return true;
  }

  void serve() {
    for (;;) {
      const uint64_t request = tool.get();
      if (!tool.isOpen())
        return;
      switch (Request(request)) {
      case Request::CreateSession:
        createSession();
        break;
      case Request::DestroySession:
        mlc_session_destroy(getSession());
        putStatus(MLC_OK);
        break;
      case Request::Run:
        run();
        break;
      case Request::QueryMemory:
        queryMemory();
        break;
      case Request::QueryOutput:
        queryOutput();
        break;
      }
    }
  }

private:
  /// Whether all ports are tensors whose bytes say everything.
  static bool isPassable(const mlc_port *ports, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i)
      if (ports[i].kind != MLC_TENSOR || ports[i].optional || ports[i].type == MLC_STRING)
        return false;
    return true;
  }

  bool refuse(const char *why) {
    tool.putText(why);
    tool.flush();
    return false;
  }

  void putPorts(const mlc_port *ports, uint32_t count) {
    tool.put(count);
    for (uint32_t i = 0; i < count; ++i) {
      tool.putText(ports[i].name);
      tool.put(uint64_t(ports[i].type));
      tool.put(uint64_t(ports[i].rank));
      tool.put(ports[i].extents, size_t(ports[i].rank) * sizeof(int64_t));
    }
  }
  void putInfo(const mlc_model_info &info) {
    tool.put(info.code_abi);
    putPorts(info.inputs, info.input_count);
    putPorts(info.outputs, info.output_count);
    tool.put(info.symbol_count);
    for (uint32_t i = 0; i < info.symbol_count; ++i)
      tool.putText(info.symbols[i]);
    tool.put(info.property_count);
    for (uint32_t i = 0; i < info.property_count; ++i) {
      tool.putText(info.properties[i].key);
      tool.putText(info.properties[i].value);
    }
    tool.put(info.kernel_count);
    for (uint32_t i = 0; i < info.kernel_count; ++i)
      tool.putText(info.kernels[i]);
    tool.putText(info.name);
  }

  /// Whether results are to follow.
  bool putStatus(mlc_status status) {
    tool.put(uint64_t(status));
    tool.putText(status == MLC_OK ? "" : error.text);
    return status == MLC_OK;
  }

  /// The tool knows sessions by their addresses here.
  mlc_session *getSession() { return reinterpret_cast<mlc_session *>(tool.get()); }

  void createSession() {
    mlc_session_options options = {};
    options.size = sizeof options;
    options.threads = int32_t(tool.get());
    mlc_session *session = nullptr;
    if (putStatus(mlc_session_create(model, &options, &session, &error)))
      tool.put(reinterpret_cast<uint64_t>(session));
  }

  void run() {
    mlc_session *session = getSession();
    const uint64_t inputCount = tool.get();
    auto *inputs = allocate<mlc_input>(inputCount);
    for (uint64_t i = 0; i < inputCount; ++i) {
      mlc_input &input = inputs[i];
      input.type = int32_t(tool.get());
      input.rank = int32_t(tool.get());
      auto *extents = allocate<int64_t>(size_t(input.rank));
      tool.get(extents, size_t(input.rank) * sizeof *extents);
      input.extents = extents;
      input.bytes = tool.get();
      char *data = allocate<char>(input.bytes);
      tool.get(data, input.bytes);
      input.data = data;
    }
    const uint32_t outputCount = model->info->output_count;
    auto *outputs = allocate<mlc_output>(outputCount);
    for (uint32_t i = 0; i < outputCount; ++i)
      outputs[i].memory = MLC_MEMORY_SESSION;

    const bool good = putStatus(mlc_run(session, inputs, uint32_t(inputCount), outputs, outputCount, &error));
    for (uint32_t i = 0; good && i < outputCount; ++i) {
      tool.put(uint64_t(outputs[i].type));
      tool.put(uint64_t(outputs[i].rank));
      tool.put(outputs[i].extents, size_t(outputs[i].rank) * sizeof(int64_t));
      tool.put(outputs[i].bytes);
      tool.put(outputs[i].data, outputs[i].bytes);
    }
    for (uint64_t i = 0; i < inputCount; ++i) {
      free(const_cast<int64_t *>(inputs[i].extents));
      free(const_cast<void *>(inputs[i].data));
    }
    free(inputs);
    free(outputs);
  }

  int64_t *getSymbols() {
    auto *symbols = allocate<int64_t>(model->info->symbol_count);
    tool.get(symbols, model->info->symbol_count * sizeof *symbols);
    return symbols;
  }

  void queryMemory() {
    int64_t *symbols = getSymbols();
    uint64_t bytes = 0;
    if (putStatus(mlc_query_memory(model, symbols, &bytes, &error)))
      tool.put(bytes);
    free(symbols);
  }

  void queryOutput() {
    const uint64_t output = tool.get();
    int64_t *symbols = getSymbols();
    const uint64_t rank = output < model->info->output_count ? uint64_t(model->info->outputs[output].rank) : 0;
    auto *extents = allocate<int64_t>(rank);
    if (putStatus(mlc_query_output(model, uint32_t(output), symbols, extents, &error)))
      tool.put(extents, rank * sizeof *extents);
    free(extents);
    free(symbols);
  }

  Connection &tool;
  const mlc_model *model = nullptr;
  mlc_error error = {};
};

} // namespace

int main(int argc, char **argv) {
  int kind;
  socklen_t size = sizeof kind;
  if (argc != 2 || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &kind, &size)) {
    fprintf(stderr, "usage: mlc-runner MODEL.so, by a tool of mlc that is given --runner\n");
    return 1;
  }
  Connection tool(STDIN_FILENO);
  Runner runner(tool);
  if (!runner.load(argv[1]))
    return 1;
  runner.serve();
  return 0;
}
