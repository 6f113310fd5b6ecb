/* Loads a compiled digit classifier and asks it what a picture shows.
 *
 *   mlc compile examples/digits/digits.onnx -o digits.so
 *   cc -I runtime/include docs/examples/classify.c -o classify -ldl
 *   ./classify ./digits.so
 */
#include <dlfcn.h>
#include <mlc/mlc.h>
#include <stdio.h>

static const float picture[8][8] = {
    {0, 0, 143, 255, 255, 191, 32, 0}, {0, 48, 207, 80, 64, 223, 80, 0}, {0, 0, 0, 0, 112, 239, 32, 0},
    {0, 0, 0, 80, 255, 175, 0, 0},     {0, 0, 0, 0, 128, 255, 112, 0},   {0, 0, 0, 0, 0, 207, 128, 0},
    {0, 0, 64, 80, 80, 239, 64, 0},    {0, 0, 191, 255, 239, 80, 0, 0},
};

int main(int argc, char **argv) {
  void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!library) {
    fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: classify MODEL.so");
    return 1;
  }
  mlc_entry entry;
  *(void **)&entry = dlsym(library, "mlc_model_entry"); /* POSIX allows what ISO C does not */
  const mlc_model *model = entry ? entry(MLC_VERSION) : NULL;

  mlc_error error;
  mlc_session *session;
  mlc_session_options options = {.size = sizeof options, .threads = 1};
  if (mlc_session_create(model, &options, &session, &error) != MLC_OK) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }

  const int64_t extents[] = {1, 1, 8, 8}; /* a batch of one */
  float scores[10];
  mlc_input image = {
      .name = "image", .data = picture, .bytes = sizeof picture, .extents = extents, .rank = 4, .type = MLC_FLOAT32};
  mlc_output output = {.name = "scores", .data = scores, .bytes = sizeof scores, .type = MLC_FLOAT32};
  if (mlc_run(session, &image, 1, &output, 1, &error) != MLC_OK) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }

  int best = 0;
  for (int digit = 1; digit < 10; ++digit)
    if (scores[digit] > scores[best])
      best = digit;
  printf("a %d, with a probability of %.3f\n", best, scores[best]);

  mlc_session_destroy(session); /* before the library goes */
  dlclose(library);
  return 0;
}
