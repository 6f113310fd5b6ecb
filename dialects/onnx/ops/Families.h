// What Rules.cpp fills the table of all operators with: one function for each file of this folder.
#pragma once

namespace mlc::onnx {

class Rules;

void addAffineGridRules(Rules &);
void addAttentionRules(Rules &);
void addCastRules(Rules &);
void addCausalConvRules(Rules &);
void addColumnsRules(Rules &);
void addConcatRules(Rules &);
void addControlRules(Rules &);
void addConvRules(Rules &);
void addDeformConvRules(Rules &);
void addDropoutRules(Rules &);
void addEinsumRules(Rules &);
void addElementwiseRules(Rules &);
void addEliminationRules(Rules &);
void addExpandRules(Rules &);
void addFeaturesRules(Rules &);
void addFillRules(Rules &);
void addGatherRules(Rules &);
void addImageRules(Rules &);
void addLinearRules(Rules &);
void addLookupRules(Rules &);
void addMapRules(Rules &);
void addMatMulRules(Rules &);
void addNonMaxSuppressionRules(Rules &);
void addNormalizeRules(Rules &);
void addPadRules(Rules &);
void addPoolRules(Rules &);
void addQuantizeRules(Rules &);
void addQuantizedProductsRules(Rules &);
void addRandomRules(Rules &);
void addRecurrentRules(Rules &);
void addReduceRules(Rules &);
void addRegionsRules(Rules &);
void addReshapeRules(Rules &);
void addResizeRules(Rules &);
void addScatterRules(Rules &);
void addSelectRules(Rules &);
void addSequenceRules(Rules &);
void addShapeRules(Rules &);
void addSignalRules(Rules &);
void addSliceRules(Rules &);
void addSoftmaxRules(Rules &);
void addSortRules(Rules &);
void addStringRules(Rules &);
void addSvmRules(Rules &);
void addTfIdfRules(Rules &);
void addTokenizerRules(Rules &);
void addTrainRules(Rules &);
void addTransposeRules(Rules &);
void addTreeRules(Rules &);
void addUnpoolRules(Rules &);
void addUpgradeRules(Rules &);

} // namespace mlc::onnx
