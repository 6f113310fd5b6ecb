/* Uses the header that mlc writes beside a library, from C and from C++: names, types and symbolic dimensions are the
 * model's own. */
#include "digits.h"
#include <stdio.h>

int main(void) {
  mlc_error error;
  mlc_session *sessions[2];
  const mlc_model *model = digits_mlc(MLC_VERSION);
  float images[2 * 64] = {0}, scores[2][2 * 10];
  uint64_t bytes[2];
  int64_t dims[1];
  int i;
  for (i = 0; i < 2; ++i) {
    dims[digits_dim_batch] = i + 1;
    if (mlc_query_memory(model, dims, &bytes[i], &error) != MLC_OK ||
        mlc_session_create(model, NULL, &sessions[i], &error) != MLC_OK ||
        digits_run(sessions[i], i + 1, images, scores[i], &error) != MLC_OK) {
      fprintf(stderr, "%s\n", error.text);
      return 1;
    }
  }
  /* Two sessions at the same time, and each has its own extents. */
  for (i = 0; i < 10; ++i)
    if (scores[0][i] != scores[1][i] || scores[0][i] != scores[1][10 + i])
      return 2;
  printf("%s takes %s, gives %s\n", model->info->name, model->info->inputs[digits_input_image].name,
         model->info->outputs[digits_output_scores].name);
  printf("more pictures, more memory: %s\n", bytes[1] > bytes[0] ? "yes" : "no");
  for (i = 0; i < 2; ++i)
    mlc_session_destroy(sessions[i]);
  return 0;
}
