#include "Ptx.h"
#include <algorithm>
#include <cstring>
#include <sstream>

namespace ptx {

namespace {

const std::map<std::string, Code> codes = {
    {"abs", Code::Abs},     {"add", Code::Add},   {"and", Code::And},           {"bar", Code::Bar},
    {"barrier", Code::Bar}, {"bfe", Code::Bfe},   {"bra", Code::Bra},           {"brev", Code::Brev},
    {"brx", Code::Brx},     {"clz", Code::Clz},   {"copysign", Code::Copysign}, {"cvt", Code::Cvt},
    {"cvta", Code::Cvta},   {"div", Code::Div},   {"fma", Code::Fma},           {"ld", Code::Ld},
    {"mad", Code::Mad},     {"max", Code::Max},   {"min", Code::Min},           {"mma", Code::Mma},
    {"mov", Code::Mov},     {"mul", Code::Mul},   {"neg", Code::Neg},           {"not", Code::Not},
    {"or", Code::Or},       {"popc", Code::Popc}, {"prmt", Code::Prmt},         {"rcp", Code::Rcp},
    {"rem", Code::Rem},     {"ret", Code::Ret},   {"selp", Code::Selp},         {"set", Code::Set},
    {"setp", Code::Setp},   {"shf", Code::Shf},   {"shl", Code::Shl},           {"shr", Code::Shr},
    {"sqrt", Code::Sqrt},   {"st", Code::St},     {"sub", Code::Sub},           {"testp", Code::Testp},
    {"xor", Code::Xor}};

const std::map<std::string, uint32_t> modifiers = {{"wide", Wide},
                                                   {"lo", Low},
                                                   {"hi", High},
                                                   {"sat", Saturated},
                                                   {"NaN", PassesNaN},
                                                   {"rn", ToNearest},
                                                   {"rna", ToNearest},
                                                   {"rz", ToZero},
                                                   {"rm", Down},
                                                   {"rp", Up},
                                                   {"rni", ToNearest | ToInteger},
                                                   {"rzi", ToZero | ToInteger},
                                                   {"rmi", Down | ToInteger},
                                                   {"rpi", Up | ToInteger},
                                                   {"l", Left},
                                                   {"r", Right},
                                                   {"wrap", Wraps},
                                                   {"to", ToSpace},
                                                   // What changes nothing here.
                                                   {"uni", 0},
                                                   {"sync", 0},
                                                   {"aligned", 0},
                                                   {"idx", 0},
                                                   {"nc", 0},
                                                   {"relaxed", 0},
                                                   {"weak", 0},
                                                   {"v2", 0},
                                                   {"v4", 0},
                                                   {"ptr", 0},
                                                   {"row", 0},
                                                   {"col", 0},
                                                   {"m16n8k8", 0},
                                                   {"m16n8k16", 0},
                                                   {"m16n8k32", 0}};

const std::map<std::string, Compare> compares = {
    {"eq", Compare::Eq},   {"ne", Compare::Ne},   {"lt", Compare::Lt},   {"le", Compare::Le},   {"gt", Compare::Gt},
    {"ge", Compare::Ge},   {"lo", Compare::Lo},   {"ls", Compare::Ls},   {"hi", Compare::Hi},   {"hs", Compare::Hs},
    {"equ", Compare::Equ}, {"neu", Compare::Neu}, {"ltu", Compare::Ltu}, {"leu", Compare::Leu}, {"gtu", Compare::Gtu},
    {"geu", Compare::Geu}, {"num", Compare::Num}, {"nan", Compare::Nan}};

constexpr const char *specials[] = {"%tid.x",    "%tid.y",    "%tid.z",   "%ntid.x",  "%ntid.y",
                                    "%ntid.z",   "%ctaid.x",  "%ctaid.y", "%ctaid.z", "%nctaid.x",
                                    "%nctaid.y", "%nctaid.z", "%laneid",  "%warpid"};

bool isWord(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '%'; }

Type typeOf(const std::string &word) {
  if (word == "pred")
    return {Type::Bits, 1};
  if (word == "f16x2")
    return {Type::Float, 16, 2};
  if (word == "bf16x2")
    return {Type::Brain, 16, 2};
  if (word == "bf16")
    return {Type::Brain, 16};
  if (word == "tf32")
    return {Type::Tensor, 32};
  if (word.size() < 2 || !std::all_of(word.begin() + 1, word.end(), isdigit))
    return {};
  const int bits = std::stoi(word.substr(1));
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
    return {};
  switch (word[0]) {
  case 'b':
    return {Type::Bits, uint8_t(bits)};
  case 'u':
    return {Type::Unsigned, uint8_t(bits)};
  case 's':
    return {Type::Signed, uint8_t(bits)};
  case 'f':
    return {Type::Float, uint8_t(bits)};
  default:
    return {};
  }
}

class Parser {
public:
  explicit Parser(const std::string &source) : text(source) {}
  Module run();

private:
  [[noreturn]] void fail(const std::string &what) { throw Error(what); }
  void skip() {
    for (; at < text.size(); ++at) {
      if (text.compare(at, 2, "//") == 0)
        at = std::min(text.find('\n', at), text.size() - 1);
      else if (!isspace((unsigned char)text[at]))
        return;
    }
  }
  bool atEnd() { return skip(), at >= text.size(); }
  bool take(char c) {
    skip();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  void expect(char c) {
    if (!take(c))
      fail(std::string("expected '") + c + "' before: " + text.substr(at, 40));
  }
  /// A word, or one that begins with a period.
  std::string word() {
    skip();
    size_t begin = at;
    if (at < text.size() && text[at] == '.')
      ++at;
    while (at < text.size() && isWord(text[at]))
      ++at;
    if (begin == at)
      fail("expected a word before: " + text.substr(at, 40));
    return text.substr(begin, at - begin);
  }
  /// With all its modifiers: "ld.global.b32"; special registers likewise.
  std::string dotted() {
    std::string result = word();
    while (at < text.size() && (text[at] == '.' || text.compare(at, 2, "::") == 0)) {
      at += text[at] == ':' ? 1 : 0;
      result += text[at] == ':' ? (++at, "::" + word()) : word();
    }
    return result;
  }
  int64_t integer() {
    skip();
    const bool isNegative = take('-');
    size_t end = at;
    const auto value = int64_t(std::stoull(text.substr(at, 40), &end, 0));
    at += end;
    if (at < text.size() && text[at] == 'U')
      ++at;
    return isNegative ? -value : value;
  }
  std::string until(char c) {
    const size_t end = text.find(c, at);
    if (end == std::string::npos)
      fail(std::string("expected '") + c + "'");
    std::string result = text.substr(at, end - at);
    at = end + 1;
    return result;
  }

  void variable(const std::string &space);
  void function();
  void registers();
  void statement();
  Operand operand();
  uint32_t registerNamed(const std::string &name) {
    return names.try_emplace(name, uint32_t(names.size())).first->second;
  }

  const std::string &text;
  size_t at = 0;
  Module module;
  // Of the function that is being read.
  Function *current = nullptr;
  std::map<std::string, uint32_t> names, labels;
  std::map<std::string, int64_t> locals, parameters;
  std::vector<std::pair<size_t, std::string>> jumps; ///< by instruction
};

/// .shared .align 16 .b8 name[256]; in a module or in a function.
void Parser::variable(const std::string &space) {
  uint32_t alignment = 1;
  Type type;
  std::string name;
  for (;;) {
    name = word();
    if (name[0] != '.')
      break;
    if (name == ".align")
      alignment = uint32_t(integer());
    else if (Type found = typeOf(name.substr(1)); found.kind != Type::None)
      type = found;
  }
  uint64_t count = 1;
  if (take('[')) {
    count = uint64_t(integer());
    expect(']');
  }
  const auto bytes = uint32_t(count * type.bits / 8);
  auto place = [&](uint32_t &end) {
    const uint32_t offset = (end + alignment - 1) / alignment * alignment;
    end = offset + bytes;
    return offset;
  };
  if (space == ".shared") {
    if (current)
      locals[name] = place(current->sharedBytes);
    else
      module.shared[name] = place(module.sharedBytes);
  } else if (space == ".local") {
    locals[name] = place(current->localBytes);
  } else {
    std::vector<char> contents(bytes + 1);
    if (take('=')) {
      const bool isList = take('{');
      char *next = contents.data();
      do {
        const int64_t value = integer();
        memcpy(next, &value, type.bits / 8);
        next += type.bits / 8;
      } while (isList && take(','));
      if (isList)
        expect('}');
    }
    module.data[name] = std::move(contents);
  }
  expect(';');
}

void Parser::registers() {
  do {
    std::string name = word();
    if (take('<')) {
      integer();
      expect('>');
    } else {
      registerNamed(name);
    }
  } while (take(','));
  expect(';');
}

Operand Parser::operand() {
  Operand result;
  skip();
  const char c = text[at];
  if (take('{')) {
    result.kind = Operand::List;
    do
      result.parts.push_back(operand());
    while (take(','));
    expect('}');
    return result;
  }
  if (take('[')) {
    result = operand();
    result.isRelative = result.kind == Operand::Register;
    result.kind = Operand::Address;
    if (take('+'))
      result.value += integer();
    expect(']');
    return result;
  }
  if (c == '-' || isdigit((unsigned char)c)) {
    // 0f3F800000 and 0d... are the bits of a float.
    if (c == '0' && (text[at + 1] == 'f' || text[at + 1] == 'd' || text[at + 1] == 'F' || text[at + 1] == 'D')) {
      const size_t digits = tolower(text[at + 1]) == 'f' ? 8 : 16;
      result.value = int64_t(std::stoull(text.substr(at + 2, digits), nullptr, 16));
      at += 2 + digits;
      return result;
    }
    // 0x3C00 as a half, too.
    result.value = integer();
    return result;
  }
  const std::string name = c == '%' ? dotted() : word();
  if (c == '%' || names.contains(name)) {
    const auto *special = std::find(std::begin(specials), std::end(specials), name);
    result.kind = special == std::end(specials) ? Operand::Register : Operand::Special;
    result.index = result.kind == Operand::Special ? uint32_t(special - std::begin(specials)) : registerNamed(name);
    return result;
  }
  result.kind = Operand::Symbol;
  if (auto known = parameters.find(name); known != parameters.end())
    result.value = known->second;
  else if (auto known = locals.find(name); known != locals.end())
    result.value = known->second;
  else if (auto known = module.shared.find(name); known != module.shared.end())
    result.value = known->second;
  else if (auto known = module.data.find(name); known != module.data.end())
    result.value = int64_t(known->second.data());
  else {
    result.kind = Operand::Label;
    jumps.emplace_back(current->code.size(), name);
  }
  return result;
}

void Parser::statement() {
  skip();
  const size_t begin = at;
  if (take('{')) { // a scope; names of registers are not used for others
    while (!take('}'))
      statement();
    return;
  }
  if (take('@')) {
    const bool isNegated = take('!');
    const uint32_t guard = registerNamed(word());
    statement();
    current->code.back().guard = int32_t(guard);
    current->code.back().isGuardNegated = isNegated;
    return;
  }
  if (text[at] == '.') {
    const std::string what = word();
    if (what == ".reg") {
      word(); // the type
      registers();
    } else if (what == ".local" || what == ".shared") {
      variable(what);
    } else {
      until(what == ".loc" ? '\n' : ';');
    }
    return;
  }
  const std::string name = dotted();
  if (take(':')) {
    labels[name] = uint32_t(current->code.size());
    return;
  }
  Instruction instruction;
  std::istringstream parts(name);
  std::string part;
  std::getline(parts, part, '.');
  auto code = codes.find(part);
  if (code == codes.end())
    fail("unknown instruction " + name);
  instruction.code = code->second;
  Type sums; // of mma, as the result
  while (std::getline(parts, part, '.')) {
    static const std::map<std::string, Space> spaces = {{"global", Space::Global},
                                                        {"shared", Space::Shared},
                                                        {"local", Space::Local},
                                                        {"param", Space::Param},
                                                        {"const", Space::Const}};
    if (Type type = typeOf(part); type.kind != Type::None)
      (instruction.type.kind == Type::None   ? instruction.type
       : instruction.from.kind == Type::None ? instruction.from
       : instruction.with.kind == Type::None ? instruction.with
                                             : sums) = type;
    else if (auto compare = compares.find(part);
             compare != compares.end() && (instruction.code == Code::Setp || instruction.code == Code::Set))
      instruction.compare = compare->second;
    else if (auto space = spaces.find(part); space != spaces.end())
      instruction.space = space->second;
    else if (auto modifier = modifiers.find(part); modifier != modifiers.end())
      instruction.modifiers |= modifier->second;
    else
      fail("unknown modifier ." + part + " of " + name);
    if (part == "v2" || part == "v4")
      instruction.vector = uint8_t(part[1] - '0');
  }
  if (!take(';')) {
    do
      instruction.operands.push_back(operand());
    while (take(',') || take('|'));
    expect(';');
  }
  instruction.text = text.substr(begin, at - begin);
  current->code.push_back(std::move(instruction));
}

void Parser::function() {
  const std::string name = word();
  current = &module.functions[name];
  current->name = name;
  current->sharedBytes = module.sharedBytes;
  names.clear();
  labels.clear();
  locals.clear();
  parameters.clear();
  jumps.clear();
  expect('(');
  while (!take(')')) {
    Type type;
    std::string parameter;
    for (;;) {
      parameter = word();
      if (parameter[0] != '.')
        break;
      if (parameter == ".align")
        integer();
      else if (Type found = typeOf(parameter.substr(1)); found.kind != Type::None)
        type = found;
    }
    uint32_t bytes = type.bits / 8;
    if (take('[')) { // a bf16 is written as an array of two bytes
      bytes *= uint32_t(integer());
      expect(']');
    }
    const uint32_t offset = (current->parameterBytes + bytes - 1) / bytes * bytes;
    parameters[parameter] = offset;
    current->parameters.push_back({offset, bytes});
    current->parameterBytes = offset + bytes;
    take(',');
  }
  while (!take('{')) {
    const std::string directive = word();
    for (uint32_t &extent : current->threads) {
      skip();
      if (!isdigit((unsigned char)text[at]))
        break;
      const auto value = uint32_t(integer());
      if (directive == ".reqntid" || directive == ".maxntid")
        extent = value;
      if (!take(','))
        break;
    }
  }
  if (current->threads[0])
    for (uint32_t &extent : current->threads)
      extent = std::max(extent, 1u);
  while (!take('}'))
    statement();
  for (const auto &[instruction, label] : jumps) {
    auto known = labels.find(label);
    if (known == labels.end())
      fail("nothing is called '" + label + "', which is used in: " + current->code[instruction].text);
    for (Operand &operand : current->code[instruction].operands)
      if (operand.kind == Operand::Label)
        operand.index = known->second;
  }
  current->registers = uint32_t(names.size());
  current = nullptr;
}

Module Parser::run() {
  while (!atEnd()) {
    const std::string what = word();
    if (what == ".version" || what == ".address_size" || what == ".target") {
      std::string line = until('\n');
      if (size_t found = line.find("sm_"); what == ".target" && found != std::string::npos)
        module.target = unsigned(std::stoi(line.substr(found + 3)));
    } else if (what == ".visible" || what == ".weak") {
      continue;
    } else if (what == ".entry") {
      function();
    } else if (what == ".shared" || what == ".global" || what == ".const") {
      variable(what);
    } else {
      fail("unknown directive " + what);
    }
  }
  return std::move(module);
}

} // namespace

Module parse(const std::string &text) { return Parser(text).run(); }

} // namespace ptx
