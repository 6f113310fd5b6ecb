#include "onnx/Lowering.h"
namespace mlc::onnx { void addSortRules(Rules &rules) {} }
