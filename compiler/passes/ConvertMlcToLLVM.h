// The operations that ask the runtime for something, as calls of its services.
#pragma once
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mlc {

/// What strings and sequences are in the LLVM dialect: two words, and a pointer.
void addValueConversions(mlir::LLVMTypeConverter &converter);

void populateMlcToLLVMPatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);
/// Those of strings and sequences, which are among them.
void populateValuePatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);
/// That of calls of the user's functions, which is among them.
void populateExternalPattern(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace mlc
