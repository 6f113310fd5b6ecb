// Model libraries as they are shipped: what they export and need, several of them in one process, loading and
// unloading.
#include "Threads.h"
#include "mlc/mlc.hpp"
#include <catch2/catch.hpp>
#include <elf.h>
#include <fstream>
#include <set>
#include <thread>

using Names = std::set<std::string>;

static const std::string folder = MLC_TEST_LIBRARIES;
static const std::string ten = folder + "/libten.so", hundred = folder + "/libhundred.so";

/// y = factor * x, so that nobody can be taken for another.
static void runOnce(mlc::Session &session, float factor) {
  std::vector<float> x(1000);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i);
  const std::vector<mlc::Tensor> outputs = session.run({mlc::Input(x, {1000})});
  bool right = outputs[0].data<float>().size() == x.size();
  for (size_t i = 0; right && i < x.size(); ++i)
    right = outputs[0].data<float>()[i] == factor * x[i];
  if (!right) // Catch's checks are not for several threads
    std::terminate();
}

//===-- The file ------------------------------------------------------------------===//

namespace {
/// What the dynamic section of a 64-bit ELF file says.
struct Library {
  Names needed, exported;
  uint64_t size = 0;
  bool hasConstructors = false;

  explicit Library(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(stream)), {});
    size = file.size();
    const auto at = [&]<typename Value>(uint64_t offset, Value *) {
      return reinterpret_cast<const Value *>(file.data() + offset);
    };
    const auto *header = at(0, static_cast<Elf64_Ehdr *>(nullptr));
    const auto *sections = at(header->e_shoff, static_cast<Elf64_Shdr *>(nullptr));
    for (int i = 0; i < header->e_shnum; ++i) {
      const Elf64_Shdr &section = sections[i];
      hasConstructors |= section.sh_type == SHT_INIT_ARRAY || section.sh_type == SHT_PREINIT_ARRAY;
      if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_DYNAMIC)
        continue;
      const char *text = file.data() + sections[section.sh_link].sh_offset;
      if (section.sh_type == SHT_DYNAMIC) {
        for (const auto *entry = at(section.sh_offset, static_cast<Elf64_Dyn *>(nullptr)); entry->d_tag != DT_NULL;
             ++entry)
          if (entry->d_tag == DT_NEEDED)
            needed.insert(text + entry->d_un.d_val);
        continue;
      }
      const auto *symbols = at(section.sh_offset, static_cast<Elf64_Sym *>(nullptr));
      for (uint64_t s = 0; s < section.sh_size / sizeof(Elf64_Sym); ++s)
        if (symbols[s].st_shndx != SHN_UNDEF)
          exported.insert(text + symbols[s].st_name);
    }
  }
};
} // namespace

TEST_CASE("a library exports its two entry points and needs only libc") {
  const Library library(ten);
  CHECK(library.exported == Names{"mlc_model_entry", "ten_mlc"});
  CHECK(library.needed == Names{"libc.so.6"});
  CHECK_FALSE(library.hasConstructors);
  CHECK(library.size < 60000);
}

//===-- Loading -------------------------------------------------------------------===//

TEST_CASE("both entry points lead to the same model, and only for a version that is known") {
  void *library = dlopen(ten.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library);
  const auto general = reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry"));
  const auto own = reinterpret_cast<mlc_entry>(dlsym(library, "ten_mlc"));
  REQUIRE(general);
  REQUIRE(own);
  CHECK(general(MLC_VERSION) != nullptr);
  CHECK(general(MLC_VERSION) == own(MLC_VERSION));
  CHECK(general(0) == nullptr);
  CHECK(general(MLC_VERSION + 1) == nullptr);
  dlclose(library);
}

TEST_CASE("two models with the same names of symbols are told apart") {
  void *first = dlopen(ten.c_str(), RTLD_NOW | RTLD_GLOBAL), *second = dlopen(hundred.c_str(), RTLD_NOW | RTLD_GLOBAL);
  REQUIRE(first);
  REQUIRE(second);
  mlc::Model tenModel(reinterpret_cast<mlc_entry>(dlsym(first, "ten_mlc")));
  mlc::Model hundredModel(reinterpret_cast<mlc_entry>(dlsym(second, "hundred_mlc")));
  CHECK(tenModel.name() == "ten");
  CHECK(hundredModel.name() == "hundred");
  {
    mlc::Session tenSession(tenModel), hundredSession(hundredModel);
    runOnce(tenSession, 10);
    runOnce(hundredSession, 100);
  }
  dlclose(first);
  dlclose(second);
}

TEST_CASE("a model opened from a file") {
  mlc::Model model = mlc::Model::open(ten);
  CHECK(model.property("mlc.producer") == "a test");
  mlc::Session session(model);
  runOnce(session, 10);
  CHECK_THROWS_AS(mlc::Model::open("libc.so.6"), mlc::Error);
  CHECK_THROWS_WITH(mlc::Model::open("libc.so.6"), "libc.so.6 is not a compiled model: it has no mlc_model_entry");
}

TEST_CASE("a session keeps its library loaded") {
  mlc::Session session(mlc::Model::open(ten), {.threads = 2});
  runOnce(session, 10);
}

//===-- One pool ------------------------------------------------------------------===//

TEST_CASE("all libraries of the process use one pool") {
  mlc::Session first(mlc::Model::open(ten), {.threads = 3});
  mlc::Session second(mlc::Model::open(hundred), {.threads = 3});
  CHECK(test::workersBecome(0));
  runOnce(first, 10);
  CHECK(test::workersBecome(2));
  runOnce(second, 100);
  CHECK(test::workersBecome(2));
  runOnce(first, 10);
  CHECK(test::workersBecome(2));
}

TEST_CASE("the library that made the pool can go first") {
  std::optional<mlc::Session> first(std::in_place, mlc::Model::open(ten), mlc::Session::Options{.threads = 3});
  mlc::Session second(mlc::Model::open(hundred), {.threads = 2});
  runOnce(*first, 10);
  runOnce(second, 100);
  first.reset(); // and with it the library and the threads that run its code
  CHECK(dlopen(ten.c_str(), RTLD_NOW | RTLD_NOLOAD) == nullptr);
  CHECK(test::workersBecome(0));
  runOnce(second, 100);
  CHECK(test::workersBecome(1));
  // Loaded again, it finds the others' pool.
  mlc::Session again(mlc::Model::open(ten), {.threads = 2});
  runOnce(again, 10);
  CHECK(test::workersBecome(1));
}

TEST_CASE("no worker stays behind in an unloaded library") {
  void *library = dlopen(ten.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library);
  mlc_session *forgotten;
  {
    mlc::Model model(reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry")));
    mlc::Session session(model, {.threads = 3});
    runOnce(session, 10);
    CHECK(test::workersBecome(2));
    REQUIRE(mlc_session_create(model.handle(), nullptr, &forgotten, nullptr) == MLC_OK);
  }
  CHECK(test::workersBecome(2)); // for the forgotten session
  dlclose(library);
  CHECK(test::workersBecome(0));
  free(forgotten); // nobody else can any more
}

TEST_CASE("libraries come and go while others run") {
  std::atomic<bool> stop = false;
  std::thread steady([&] {
    mlc::Session session(mlc::Model::open(hundred), {.threads = 2});
    while (!stop)
      runOnce(session, 100);
  });
  for (int round = 0; round < 30; ++round) {
    mlc::Session session(mlc::Model::open(ten), {.threads = 2 + round % 3});
    for (int i = 0; i < 5; ++i)
      runOnce(session, 10);
  }
  stop = true;
  steady.join();
  CHECK(test::workersBecome(0));
}
