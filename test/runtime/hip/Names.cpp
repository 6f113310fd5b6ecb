// From what an instruction is called to what executes it.
#include "Lanes.h"
#include <unordered_map>

namespace gcn {

namespace {

/// Names that AMD has given to the same instructions later, or earlier.
const std::pair<const char *, const char *> otherNames[] = {
    {"s_and_not1_b32", "s_andn2_b32"},
    {"s_and_not1_b64", "s_andn2_b64"},
    {"s_or_not1_b32", "s_orn2_b32"},
    {"s_or_not1_b64", "s_orn2_b64"},
    {"s_and_not1_saveexec_b32", "s_andn2_saveexec_b32"},
    {"s_and_not1_saveexec_b64", "s_andn2_saveexec_b64"},
    {"s_or_not1_saveexec_b32", "s_orn2_saveexec_b32"},
    {"s_ctz_i32_b32", "s_ff1_i32_b32"},
    {"s_ctz_i32_b64", "s_ff1_i32_b64"},
    {"s_clz_i32_u32", "s_flbit_i32_b32"},
    {"s_clz_i32_u64", "s_flbit_i32_b64"},
    {"s_cls_i32", "s_flbit_i32"},
    {"s_add_co_u32", "s_add_u32"},
    {"s_sub_co_u32", "s_sub_u32"},
    {"s_add_co_ci_u32", "s_addc_u32"},
    {"s_sub_co_ci_u32", "s_subb_u32"},
    {"s_add_co_i32", "s_add_i32"},
    {"s_sub_co_i32", "s_sub_i32"},
    {"s_addk_co_i32", "s_addk_i32"},
    {"v_add_nc_u32", "v_add_u32"},
    {"v_sub_nc_u32", "v_sub_u32"},
    {"v_subrev_nc_u32", "v_subrev_u32"},
    {"v_add_nc_i32", "v_add_u32"},
    {"v_sub_nc_i32", "v_sub_u32"},
    {"v_add_co_ci_u32", "v_addc_co_u32"},
    {"v_sub_co_ci_u32", "v_subb_co_u32"},
    {"v_subrev_co_ci_u32", "v_subbrev_co_u32"},
    {"v_add_nc_u16", "v_add_u16"},
    {"v_sub_nc_u16", "v_sub_u16"},
    {"v_mad_legacy_u16", "v_mad_u16"},
    {"v_mad_legacy_i16", "v_mad_i16"},
    {"v_clz_i32_u32", "v_ffbh_u32"},
    {"v_ctz_i32_b32", "v_ffbl_b32"},
    {"v_cls_i32", "v_ffbh_i32"},
    {"v_mad_co_u64_u32", "v_mad_u64_u32"},
    {"v_mad_co_i64_i32", "v_mad_i64_i32"},
    {"v_max_num_f32", "v_max_f32"},
    {"v_min_num_f32", "v_min_f32"},
    {"v_max_num_f64", "v_max_f64"},
    {"v_min_num_f64", "v_min_f64"},
    {"v_max_num_f16", "v_max_f16"},
    {"v_min_num_f16", "v_min_f16"},
    {"v_max3_num_f32", "v_max3_f32"},
    {"v_min3_num_f32", "v_min3_f32"},
    {"v_med3_num_f32", "v_med3_f32"},
    {"v_maxmin_num_f32", "v_maxmin_f32"},
    {"v_minmax_num_f32", "v_minmax_f32"},
    {"v_pk_max_num_f16", "v_pk_max_f16"},
    {"v_pk_min_num_f16", "v_pk_min_f16"},
};

void nothing(Wave &, const Instruction &) {}

std::unordered_map<std::string, Entry> makeTable() {
  std::unordered_map<std::string, Entry> table;
  for (std::span<const Entry> list :
       {scalarNumbers(), scalarControl(), moves(), integers(), floats(), conversions(), packed()})
    for (const Entry &entry : list)
      table[entry.name] = entry;
  for (auto [other, known] : otherNames)
    table[other] = table.at(known);
  return table;
}

} // namespace

bool hasEffect(const std::string &name) {
  static const char *const prefixes[] = {"s_nop",     "s_waitcnt",  "s_wait_",          "s_delay_alu",
                                         "s_clause",  "s_setprio",  "s_sendmsg",        "s_set_inst_",
                                         "buffer_gl", "buffer_inv", "buffer_wb",        "global_inv",
                                         "global_wb", "s_code_end", "s_barrier_signal", "s_inst_prefetch"};
  return std::none_of(std::begin(prefixes), std::end(prefixes),
                      [&](const char *prefix) { return name.starts_with(prefix); });
}

void settle(Instruction &instruction) {
  static const std::unordered_map<std::string, Entry> table = makeTable();
  const std::string &name = instruction.name;
  if (!hasEffect(name)) {
    instruction.execute = nothing;
    return;
  }
  if (auto found = table.find(name); found != table.end()) {
    instruction.execute = found->second.execute, instruction.results = found->second.results;
    return;
  }
  if ((instruction.execute = findComparison(name))) {
    instruction.results = instruction.operands.size() > 2 ? 1 : 0;
    return;
  }
  if (!(instruction.execute = findMatrix(name)) && !(instruction.execute = findMemory(name)))
    throw Error("unknown instruction '" + instruction.text + "'");
}

} // namespace gcn
