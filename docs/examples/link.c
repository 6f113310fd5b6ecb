/* A program that a compiled digit classifier is linked with. It brings all memory itself, and lends threads of its own.
 *
 *   mlc compile examples/digits/digits.onnx -o digits.so
 *   cc -I runtime/include docs/examples/link.c ./digits.so -Wl,-rpath,. -o link -lpthread
 *   ./link
 */
#include <mlc/mlc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const mlc_model *digits_mlc(uint32_t version); /* the entry point of digits.so, whatever other models are linked */

/*===-- An executor, the simplest that can be: one new thread for each part ------------------------------------------*/

typedef struct Part {
  void (*work)(void *closure, uint32_t part);
  void *closure;
  uint32_t number;
} Part;

static void *run_part(void *argument) {
  Part *part = argument;
  part->work(part->closure, part->number);
  return NULL;
}

static void run_parts(void *context, uint32_t parts, void (*work)(void *closure, uint32_t part), void *closure) {
  pthread_t threads[4];
  Part all[4];
  (void)context;
  for (uint32_t i = 1; i < parts; ++i) { /* never more than options.threads */
    all[i] = (Part){work, closure, i};
    if (pthread_create(&threads[i], NULL, run_part, &all[i]) != 0)
      abort();
  }
  work(closure, 0);
  for (uint32_t i = 1; i < parts; ++i)
    pthread_join(threads[i], NULL);
}

/*===-- The program --------------------------------------------------------------------------------------------------*/

static int fail(const mlc_error *error) {
  fprintf(stderr, "%s\n", error->text);
  return 1;
}

int main(void) {
  mlc_error error;
  const mlc_model *model = digits_mlc(MLC_VERSION);
  if (!model)
    return 1; /* compiled for another version of mlc.h */
  printf("%s, made by %s\n", model->info->name, mlc_find_property(model->info, "mlc.producer"));

  /* How much memory do 100 pictures at a time take, and what comes out? */
  const int64_t pictures = 100;
  int64_t dims[1] = {0}, shape[2];
  const int32_t batch = mlc_find_symbol(model->info, "batch");
  if (model->info->symbol_count != 1 || batch != 0)
    return 1; /* not the model that we know */
  dims[batch] = pictures;
  uint64_t arena_bytes;
  if (mlc_query_memory(model, dims, &arena_bytes, &error) != MLC_OK ||
      mlc_query_output(model, 0, dims, shape, &error) != MLC_OK)
    return fail(&error);
  printf("%lld x %lld scores\n", (long long)shape[0], (long long)shape[1]);

  arena_bytes = (arena_bytes + 63) / 64 * 64; /* aligned_alloc wants a multiple */
  void *arena = aligned_alloc(64, arena_bytes ? arena_bytes : 64);
  float *images = calloc((size_t)pictures * 64, sizeof(float));
  float *scores = malloc((size_t)(shape[0] * shape[1]) * sizeof(float));
  mlc_session_options options = {
      .size = sizeof options, .threads = 4, .executor = run_parts, .arena = arena, .arena_bytes = arena_bytes};
  mlc_session *session;
  if (mlc_session_create(model, &options, &session, &error) != MLC_OK)
    return fail(&error);

  /* The images lie one pixel after the other, all first pixels first: strides say so, and nothing needs to be moved. */
  const int64_t extents[] = {pictures, 1, 8, 8}, strides[] = {1, 0, 8 * pictures, pictures};
  mlc_input image = {.data = images,
                     .bytes = (uint64_t)pictures * 64 * sizeof(float),
                     .extents = extents,
                     .strides = strides,
                     .rank = 4,
                     .type = MLC_FLOAT32};
  mlc_output output = {.data = scores, .bytes = (uint64_t)(shape[0] * shape[1]) * sizeof(float)};
  if (mlc_run(session, &image, 1, &output, 1, &error) != MLC_OK)
    return fail(&error);
  printf("an empty picture is a 1 with a probability of %.3f\n", scores[1]);

  mlc_session_destroy(session);
  free(scores);
  free(images);
  free(arena);
  return 0;
}
