// The mlc dialect: the few things upstream MLIR cannot say. Each operation's description gives the reason it exists.
include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def Mlc_Dialect : Dialect {
  let name = "mlc";
  let cppNamespace = "::mlc";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = "void registerTypes();";
  // What the interfaces of mlc.contract make slices and extents of.
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"];
}

class Mlc_Op<string name, list<Trait> traits = []> : Op<Mlc_Dialect, name, traits>;
class Mlc_Attr<string name, string mnemonic_> : AttrDef<Mlc_Dialect, name> { let mnemonic = mnemonic_; }

def Mlc_TargetAttr : Mlc_Attr<"Target", "target"> {
  let summary = "the machine to compile for";
  let description = [{
    Sits on the module as `mlc.target` from import on, so that printed IR can be finished elsewhere.

    `name` is the word after `--target=`, `chip` what the user (or this machine) said, `features` the LLVM feature string that
    was found for it, `vectorBytes` the width of the widest vector register worth using.
  }];
  let parameters = (ins StringRefParameter<>:$name, StringRefParameter<>:$chip, StringRefParameter<>:$features,
                        "unsigned":$vectorBytes);
  let assemblyFormat = "`<` $name `,` `chip` `=` $chip `,` `features` `=` $features `,` `vector_bytes` `=` $vectorBytes `>`";
}

def Mlc_TilingAttr : Mlc_Attr<"Tiling", "tiling"> {
  let summary = "how the loops of a kernel's root operation are cut";
  let description = [{
    Written by `Target::tile` on the root operation of a kernel as `mlc.tiling`, read by the tile phase. One number for each loop
    of the operation's iteration space, 0 for a loop that stays whole. `parallel` loops become one `scf.forall`, spread over
    threads; `serial` cuts what is left inside of it.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$parallel, OptionalArrayRefParameter<"int64_t">:$serial);
  let assemblyFormat = "`<` `parallel` `=` `[` $parallel `]` (`,` `serial` `=` `[` $serial^ `]`)? `>`";
}

//===-- Strings and sequences ---------------------------------------------------===//

class Mlc_Type<string name, string mnemonic_, list<Trait> traits = []> : TypeDef<Mlc_Dialect, name, traits> {
  let mnemonic = mnemonic_;
}

def Mlc_StringType : Mlc_Type<"String", "string", [MemRefElementTypeInterface]> {
  let summary = "an element that is text";
  let description = [{
    In memory it is `mlc_string`: the address of its bytes and their number. It never owns them: they are the caller's, the code's
    or the run's, and outlive every use in the run. So whatever moves elements moves strings, with the lowerings of numbers.
  }];
}

def Mlc_SequenceType : Mlc_Type<"Sequence", "sequence"> {
  let summary = "a list of tensors, or nothing";
  let description = [{
    A value that never changes; operations give new ones, which share the tensors. Extents are each tensor's own. It lives in the
    memory of the run (runtime/core/Sequence.h).

    ONNX's optional values are these as well: an optional sequence is the sequence, an optional tensor a sequence of one, and the
    absence of both is the one sequence that is not present. A map is a sequence of its keys and its values, tensors of rank 1; a
    sequence of maps has those of all in turn.
  }];
}

def Mlc_TextOp : Mlc_Op<"text", [Pure]> {
  let summary = "a string that lies in the code";
  let arguments = (ins StrAttr:$text);
  let results = (outs Mlc_StringType:$string);
  let assemblyFormat = "$text attr-dict";
}

def Mlc_SubstringOp : Mlc_Op<"substring", [Pure]> {
  let summary = "a part of a string, which shares its bytes";
  let description = [{
    A constant tensor of strings is one text and the places of its elements in it: numbers, which can lie in a read-only section as
    they are, where addresses would have to be written by the loader.
  }];
  let arguments = (ins Mlc_StringType:$string, I64:$offset, I64:$size);
  let results = (outs Mlc_StringType:$part);
  let assemblyFormat = "$string `from` $offset `size` $size attr-dict";
}

def Mlc_Scalar : AnyTypeOf<[Mlc_StringType, Mlc_SequenceType, I64, F64]>;

def Mlc_ServiceOp : Mlc_Op<"service", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a function of the runtime, on scalars";
  let description = [{
    Calls `mlc_rt_<name>` (runtime/include/mlc/abi.h), which is linked only where it is used. A string is passed as its address and
    its size, a sequence as its address. A service with a result has no effect but that the run may end with an error; without,
    it has one.
  }];
  let arguments = (ins StrAttr:$name, Variadic<Mlc_Scalar>:$operands);
  let results = (outs Optional<Mlc_Scalar>:$result);
  let assemblyFormat = "$name `(` $operands `)` attr-dict `:` functional-type($operands, $result)";
}

def Mlc_InsertOp : Mlc_Op<"insert", [MemoryEffects<[MemRead]>]> {
  let summary = "a sequence with a copy of a tensor in it, before the one at `position`";
  let description = [{
    `type` is the `mlc_type` of the elements. `position` is from 0 to the number of tensors.
  }];
  let arguments = (ins Arg<AnyShaped, "", [MemRead]>:$tensor, Mlc_SequenceType:$sequence, I64:$position, I32Attr:$type);
  let results = (outs Mlc_SequenceType:$result);
  let assemblyFormat = "$tensor `into` $sequence `at` $position `type` $type attr-dict `:` type($tensor)";
}

def Mlc_AtOp : Mlc_Op<"at", [Pure]> {
  let summary = "the tensor at a place of a sequence";
  let description = [{
    The tensor has the rank and extents of the result's type; `sizes` are the dynamic ones. It is the sequence's own memory, so that
    nothing may write to it.
  }];
  let arguments = (ins Mlc_SequenceType:$sequence, I64:$position, Variadic<Index>:$sizes);
  let results = (outs AnyShaped:$tensor);
  let assemblyFormat = "$sequence `[` $position `]` `sizes` `(` $sizes `)` attr-dict `:` type($tensor)";
}

def Mlc_CheckOp : Mlc_Op<"check"> {
  let summary = "ends the run with an error unless a condition holds";
  let description = [{
    What only the data can tell: an index out of range, extents that do not fit. `message` holds `%0`, `%1`... where the values
    go. Upstream's `cf.assert` aborts the process and has no values. Stands only in the graph function, never in a kernel, so
    that the run can be left from the thread that started it.
  }];
  let arguments = (ins I1:$condition, StrAttr:$message, Variadic<Index>:$values);
  let assemblyFormat = "$condition `,` $message (`,` $values^)? attr-dict";
}

//===-- Functions of the user ---------------------------------------------------===//

def Mlc_ExternalOp : Mlc_Op<"external", [
    AttrSizedOperandSegments, DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a call of a C function that is not mlc's";
  let description = [{
    Calls `function` (runtime/include/mlc/function.h) with the inputs and the memory of the results. `node` is what an error begins
    with. `types` are the `mlc_type` of all inputs and then of all results, 0 for an input that is left out. The function reads
    nothing that a result's memory holds, and may end the run with an error.

    It is a kernel of its own. The function is looked for when the library is loaded, and missed by the run that needs it.
  }];
  let arguments = (ins StrAttr:$function, StrAttr:$node, DenseI32ArrayAttr:$types, DictionaryAttr:$attribute_values,
                       Variadic<AnyShaped>:$inputs, Variadic<AnyShaped>:$inits);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $function `node` $node `types` $types `attributes` $attribute_values `ins` `(` ($inputs^ `:` type($inputs))? `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }
  }];
}

//===-- Contractions -------------------------------------------------------------===//

def Mlc_ContractOp : Mlc_Op<"contract", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<TilingInterface, ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
                                                "getResultTilePosition", "generateResultTileValue",
                                                "getIterationDomainTileFromResultTile"]>]> {
  let summary = "a sum of products over a window of the left-hand side and packed panels of the right-hand side";
  let description = [{
    Matrix products and convolutions of all kinds, in the one form that the micro-kernels compute:

        out[o..., n] = sum over k... of lhs[lhs_map(o..., n, k...)] * rhs[rhs_map(o..., n, k...)]

    The loops are those of `out`, of which the last, n, is the columns, and then the depth loops k. With `accumulate` the sum is
    added to what `out` holds; without, what `out` held does not matter.

    `lhs_map` says where in the activations an element comes from: each result is a sum of loops times constants, so a
    convolution's window is just `oh * stride + kh * dilation`. When its last result is n, the product is one of lanes: each
    column has its own input, as in a depthwise convolution.

    `rhs_map` is one of
      - panels: (o..., n floordiv W, k, n mod W), with k one mixed-radix number of all depth loops: the columns cut into panels of W
        (a multiple of the vector length that `Target::panelWidth` chose), the last of which is filled up;
      - rows: loops of `out`, depth loops and, as the last, n.
    Outer loops in it are batches: each has its own right-hand side.

    Panels may hold the terms of the depth in groups, so that a machine finds the factors of one instruction that sums several
    products side by side: the innermost depth loop, of the extent of a group, is then a last result of its own,
    (o..., n floordiv W, k, n mod W, g).

    Floats: the elements of `out` and `lhs` are the accumulator's; those of `rhs` may be a narrower float and are extended when
    they are loaded. Integers: the accumulator is i32, and wraps around; narrower elements are extended when they are loaded, those
    of `lhs` as unsigned numbers with `lhs_unsigned`.

    `linalg.generic` cannot say this: a map with floordiv and mod does not give it its loop bounds.

    Example: a convolution of 3 x 3, stride 2, channels last.

        %y = mlc.contract ins(%x, %w : tensor<1x57x57x64xf32>, tensor<2x576x64xf32>) outs(%e : tensor<1x28x28x128xf32>)
          {lhs_map = affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x * 2 + j, c)>,
           rhs_map = affine_map<(b, y, x, n, i, j, c) -> (n floordiv 64, i * 192 + j * 64 + c, n mod 64)>} -> tensor<1x28x28x128xf32>
  }];
  let arguments = (ins AnyShaped:$lhs, AnyShaped:$rhs, AnyShaped:$init, AffineMapAttr:$lhs_map, AffineMapAttr:$rhs_map,
                       UnitAttr:$accumulate, UnitAttr:$lhs_unsigned);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    (`accumulate` $accumulate^)? `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($result)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$rhs, "::mlir::Value":$init, "::mlir::AffineMap":$lhsMap,
                             "::mlir::AffineMap":$rhsMap, CArg<"bool", "false">:$accumulate,
                             CArg<"bool", "false">:$lhsIsUnsigned)>];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::ShapedType getOutType() { return ::llvm::cast<::mlir::ShapedType>(getInit().getType()); }
    /// The accumulator's.
    ::mlir::Type getElementType() { return getOutType().getElementType(); }
    unsigned getNumLoops() { return getLhsMap().getNumDims(); }
    /// The loop over columns, which comes after the outer and before the depth loops.
    unsigned getColumnLoop() { return getOutType().getRank() - 1; }
    unsigned getNumDepthLoops() { return getNumLoops() - getColumnLoop() - 1; }
    /// Each column has its own input.
    bool isLanewise();
    /// Of the right-hand side; none if it lies in rows.
    std::optional<PanelDims> getPanels();
    /// Columns of a panel; none if the right-hand side lies in rows.
    std::optional<int64_t> getPanelWidth();
    /// The outer loops that the right-hand side depends on, ascending.
    ::llvm::SmallVector<unsigned> getBatchLoops();
    /// Of each loop, fixed or computed from the operands' extents.
    ::llvm::SmallVector<::mlir::OpFoldResult> getLoopExtents(::mlir::OpBuilder &b);
    /// Of each loop as the types tell, ShapedType::kDynamic where they do not.
    ::llvm::SmallVector<int64_t> getStaticLoopExtents();
  }];
}

def Mlc_UkernelForm : I32EnumAttr<"UkernelForm", "how a register tile multiplies", [
    I32EnumAttrCase<"Broadcast", 0, "broadcast">, I32EnumAttrCase<"Lanes", 1, "lanes">]> {
  let cppNamespace = "::mlc";
  let genSpecializedAttr = 0;
}
def Mlc_UkernelFormAttr : EnumAttr<Mlc_Dialect, Mlc_UkernelForm, "form">;

class Mlc_Elements<list<Type> types> : MemRefRankOf<types, [0]>;

def Mlc_UkernelOp : Mlc_Op<"ukernel", [AttrSizedOperandSegments]> {
  let summary = "one tile of a contraction, with all its accumulators in registers";
  let description = [{
    Computes `rows` x `columns` elements, whose sums never leave the vector registers while the depth loops run:

        out[r * out_stride + c] (+)= sum over k... of lhs[r * lhs_strides[0] + k... * lhs_strides[1...] (+ c)] * rhs[k... * rhs_strides + c]

    where (+) adds if `accumulate` holds, and (+ c) is there in the form `lanes` only; `broadcast` uses one element of lhs for all
    columns. Offsets and strides count elements from the base of each buffer. `depth` lists the extents of one to three loops,
    outermost first; `width`, if given, is the number of columns, at most `columns`, that are read and written.

    Of integers, each term may be a group of products, of `group` neighbouring elements of lhs and as many of rhs, which then holds
    the elements of a group side by side for each column (its c counts groups); `lhs_unsigned` is that of mlc.contract.

    Everything static is compiled into the kernel; equal kernels are one function. `rows * v + v + 1` registers, with
    v = columns / lanes, must exist, or the accumulators would be spilled: 32 is the most any machine has.
  }];
  let arguments = (ins Mlc_UkernelFormAttr:$form, I64Attr:$rows, I64Attr:$columns, I64Attr:$lanes,
                       DefaultValuedAttr<I64Attr, "1">:$group, UnitAttr:$lhs_unsigned,
                       Variadic<Index>:$depth, DenseI64ArrayAttr:$static_depth,
                       Arg<Mlc_Elements<[F32, F64, I8, I16, I32]>, "", [MemRead]>:$lhs, Index:$lhs_offset,
                       Variadic<Index>:$lhs_strides, DenseI64ArrayAttr:$static_lhs_strides,
                       Arg<Mlc_Elements<[F16, BF16, F32, F64, I8, I16, I32]>, "", [MemRead]>:$rhs, Index:$rhs_offset,
                       Variadic<Index>:$rhs_strides, DenseI64ArrayAttr:$static_rhs_strides,
                       Arg<Mlc_Elements<[F32, F64, I32]>, "", [MemRead, MemWrite]>:$out, Index:$out_offset,
                       Variadic<Index>:$out_stride, DenseI64ArrayAttr:$static_out_stride,
                       Variadic<Index>:$width, DenseI64ArrayAttr:$static_width, I1:$accumulate);
  let assemblyFormat = [{
    $form $rows `x` $columns `lanes` $lanes `depth` custom<DynamicIndexList>($depth, $static_depth)
    `lhs` $lhs `[` $lhs_offset `]` `by` custom<DynamicIndexList>($lhs_strides, $static_lhs_strides)
    `rhs` $rhs `[` $rhs_offset `]` `by` custom<DynamicIndexList>($rhs_strides, $static_rhs_strides)
    `out` $out `[` $out_offset `]` `by` custom<DynamicIndexList>($out_stride, $static_out_stride)
    `width` custom<DynamicIndexList>($width, $static_width) `accumulate` $accumulate attr-dict `:` type($lhs) `,` type($rhs) `,` type($out)
  }];
  let hasVerifier = 1;
}

//===-- What the graph function asks of the runtime, once its tensors are buffers ------===//

// These operations become calls of the services in runtime/include/mlc/abi.h. They take the frame of the run from the first argument of
// their function, which mlc-pass-frame adds.

def Mlc_ArenaOp : Mlc_Op<"arena", [Pure]> {
  let summary = "the memory of all intermediate values of one run";
  let results = (outs MemRefRankOf<[I8], [1]>:$memory);
  let assemblyFormat = "attr-dict `:` type($memory)";
}

def Mlc_OutputOp : Mlc_Op<"output", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "the buffer of an output of the model, whose extents are known from here on";
  let description = [{
    Runs once for each output. `extents` are those of the output; the buffer may have another shape with as many elements, of which
    `sizes` are the dynamic ones: the kernel that produces an output often writes a collapsed or expanded form of it.

    It tells the runtime the extents, and so stays where nothing is written to the buffer, because it has no elements.
  }];
  let arguments = (ins I32Attr:$index, Variadic<Index>:$extents, Variadic<Index>:$sizes);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$buffer);
  let assemblyFormat = "$index `extents` `(` $extents `)` (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($buffer)";
}

def Mlc_AllocateOp : Mlc_Op<"allocate"> {
  let summary = "memory until the end of the run, for a value whose size depends on data";
  let description = "Unlike memref.alloc it ends the run with an error when there is no memory, and it needs no deallocation.";
  let arguments = (ins Variadic<Index>:$sizes);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$buffer);
  let assemblyFormat = "`(` $sizes `)` attr-dict `:` type($buffer)";
}

//===-- What a kernel asks of the runtime ---------------------------------------===//

def Mlc_ScratchOp : Mlc_Op<"scratch"> {
  let summary = "memory of the calling thread, until it asks again";
  let arguments = (ins Index:$bytes);
  let results = (outs Res<MemRefRankOf<[I8], [1]>, "", [MemAlloc]>:$memory);
  let assemblyFormat = "$bytes attr-dict `:` type($memory)";
}

def Mlc_ParallelOp : Mlc_Op<"parallel"> {
  let summary = "spreads iterations over threads";
  let description = [{
    Calls `body(begin, end, captures...)` so that each of 0 .. count-1 is covered once. What an `scf.forall` becomes: a function is the form
    in which a body can be handed to other threads, and in which LLVM knows what its buffers alias.
  }];
  let arguments = (ins Index:$count, FlatSymbolRefAttr:$body, Variadic<AnyType>:$captures);
  let assemblyFormat = "$body `count` `(` $count `)` (`captures` `(` $captures^ `:` type($captures) `)`)? attr-dict";
}
