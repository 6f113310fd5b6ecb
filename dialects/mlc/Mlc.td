// The mlc dialect: the few things upstream MLIR cannot say. Each operation's description gives the reason it exists.
include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Mlc_Dialect : Dialect {
  let name = "mlc";
  let cppNamespace = "::mlc";
  let useDefaultAttributePrinterParser = 1;
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
