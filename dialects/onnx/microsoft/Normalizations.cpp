// Layer normalizations with what models do before them: a residual, a sum of embeddings.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

static void addSum(const FunctionBodyBuildContext &context, FunctionBuilder &b, int bias) {
  if (context.hasInput(bias))
    b.Add("skipped = Add(input, skip)").Add("input_skip_bias_sum = Add(skipped, bias)");
  else
    b.Add("input_skip_bias_sum = Add(input, skip)");
}

static bool skipLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 4);
  string call = "output, mean, inv_std_var = LayerNormalization <axis = -1> (input_skip_bias_sum, gamma";
  b.Add((call + (context.hasInput(3) ? ", beta)" : ")")).c_str(), "epsilon", numberOf(context, "epsilon", 1e-12f));
  return true;
}

static bool skipSimplifiedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 3);
  b.Add("output = RMSNormalization <axis = -1> (input_skip_bias_sum, gamma)", "epsilon",
        numberOf(context, "epsilon", 1e-12f));
  return true;
}

/// The sum of word, position and segment embeddings, normalized; beside it, how many tokens the mask leaves of each
/// sentence.
static bool embedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("words = Gather(word_embedding, input_ids)");
  if (context.hasInput(8))
    b.Add("positions = Gather(position_embedding, position_ids)");
  else
    b.Add("lengths = Shape <start = 1, end = 2> (input_ids)")
        .Add("length = Squeeze(lengths)")
        .Const("first", int64_t(0))
        .Const("step", int64_t(1))
        .Add("numbers = Range(first, length, step)")
        .Add("positions = Gather(position_embedding, numbers)");
  b.Add("placed = Add(words, positions)");
  if (context.hasInput(1) != context.hasInput(4))
    return false;
  if (context.hasInput(1))
    b.Add("segments = Gather(segment_embedding, segment_ids)").Add("embedding_sum = Add(placed, segments)");
  else
    b.Add("embedding_sum = Identity(placed)");
  b.Add("output = LayerNormalization <axis = -1> (embedding_sum, gamma, beta)", "epsilon",
        numberOf(context, "epsilon", 1e-12f));
  if (context.hasInput(7))
    b.Const("one", int32_t(1))
        .Const1D("lastAxis", int64_t(1))
        .Add("isKept = Equal(mask, one)")
        .Add("kept = CastLike(isKept, mask)")
        .Add("mask_index = ReduceSum <keepdims = 0> (kept, lastAxis)");
  else
    b.Add("batch = Shape <end = 1> (input_ids)").Add("mask_index = ConstantOfShape <value = int32[1] {0}> (batch)");
  return true;
}

void addNormalizations() {
  Types T = {{"T", someFloats}, {"U", {"float"}}};
  Operator("EmbedLayerNormalization",
           "input_ids:T1 segment_ids:T1? word_embedding position_embedding segment_embedding? gamma beta mask:T1? "
           "position_ids:T1?",
           "output mask_index:T1? embedding_sum?", {{"T", someFloats}, {"T1", {"int32"}}})
      .number("epsilon", 1e-12f)
      .optional("mask_index_type", AttributeProto::INT)
      .means(embedLayerNormalization)
      .add();
  Operator("SkipLayerNormalization", "input skip gamma beta? bias?",
           "output mean:U? inv_std_var:U? input_skip_bias_sum?", T)
      .number("epsilon", 1e-12f)
      .means(skipLayerNormalization)
      .add();
  Operator("SkipSimplifiedLayerNormalization", "input skip gamma bias?",
           "output mean:U? inv_std_var:U? input_skip_bias_sum?", T)
      .number("epsilon", 1e-12f)
      .means(skipSimplifiedLayerNormalization)
      .add();
}

} // namespace mlc::onnx
