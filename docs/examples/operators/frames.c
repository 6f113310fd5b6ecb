/* my.ops.Frames: cuts signals into frames that overlap, one each `step` samples.
 *
 *   cc -O2 -fPIC -I runtime/include -c docs/examples/operators/frames.c -o frames.o
 *   mlc compile docs/examples/operators/frames.onnxtxt --ops=docs/examples/operators/frames.json --link=frames.o
 */
#include <mlc/function.h>

const char *my_frames(const mlc_call *call) {
  const mlc_tensor *x = &call->inputs[0];  /* batch x samples */
  const mlc_result *y = &call->outputs[0]; /* batch x frames x frame: memory for as much as frames.json says */
  const int64_t step = *(const int64_t *)mlc_attribute_value(call, "step");
  if (step < 1)
    return "expects a step of 1 or more";
  const int64_t batch = y->extents[0], frames = y->extents[1], frame = y->extents[2], samples = x->extents[1];
  const float *from = x->data;
  float *to = y->data;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t f = 0; f < frames; ++f, to += frame)
      memcpy(to, from + b * samples + f * step, (size_t)frame * sizeof(float));
  return NULL;
}
