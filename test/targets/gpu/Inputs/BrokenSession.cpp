// Runs on-device.onnxtxt by a driver whose second launch fails: BrokenSession LIBRARY. Prints how two runs of one session end, and then one of
// another session.
#include <cstdio>
#include <dlfcn.h>
#include <mlc/mlc.h>

static void run(mlc_session *session) {
  const int64_t count = 3;
  const float x[] = {1, 2, 3}, y[] = {10, 20, 30};
  mlc_input inputs[2] = {};
  for (mlc_input &input : inputs) {
    input.data = &input == inputs ? x : y;
    input.bytes = sizeof x;
    input.extents = &count;
    input.rank = 1;
    input.type = MLC_FLOAT32;
  }
  mlc_output outputs[2] = {};
  outputs[0].memory = outputs[1].memory = MLC_MEMORY_SESSION;
  mlc_error error;
  if (mlc_run(session, inputs, 2, outputs, 2, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return;
  }
  const auto *product = static_cast<const float *>(outputs[1].data);
  fprintf(stderr, "%g %g %g\n", product[0], product[1], product[2]);
}

int main(int, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  const mlc_model *model = reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry"))(MLC_VERSION);
  mlc_session *session = nullptr;
  mlc_error error;
  for (int runs = 2; runs > 0; --runs) {
    if (mlc_session_create(model, nullptr, &session, &error)) {
      fprintf(stderr, "no session: %s\n", error.text);
      return 1;
    }
    for (int i = 0; i < runs; ++i)
      run(session);
    mlc_session_destroy(session);
  }
}
