// Creating sessions, and what their options say.
#include "core/Session.h"
#include "FakeModel.h"

using namespace test;

static std::string refusal(const mlc_model *model, const mlc_session_options *options, mlc_status expected) {
  mlc_session *session = reinterpret_cast<mlc_session *>(1);
  mlc_error error;
  CHECK(mlc_session_create(model, options, &session, &error) == expected);
  CHECK(error.status == expected);
  if (model)
    CHECK(session == nullptr);
  return error.text;
}

TEST_CASE("a session needs no options") {
  FakeModel model(twice());
  mlc_session *session;
  REQUIRE(mlc_session_create(model(), nullptr, &session, nullptr) == MLC_OK);
  CHECK(session->model == model());
  mlc_session_destroy(session);
  mlc_session_destroy(nullptr);
}

TEST_CASE("an older caller's options are filled up") {
  FakeModel model(twice());
  mlc_session_options options = withThreads(2);
  options.size = offsetof(mlc_session_options, executor);
  options.arena_bytes = 99; // beyond what this caller knows
  mlc_session *session;
  REQUIRE(mlc_session_create(model(), &options, &session, nullptr) == MLC_OK);
  mlc_session_destroy(session);
}

TEST_CASE("a newer caller may not ask for what this runtime does not know") {
  FakeModel model(twice());
  struct {
    mlc_session_options known;
    uint64_t more;
  } options = {withThreads(1), 0};
  options.known.size = sizeof options;
  mlc_session *session;
  REQUIRE(mlc_session_create(model(), &options.known, &session, nullptr) == MLC_OK);
  mlc_session_destroy(session);
  options.more = 1;
  refusal(model(), &options.known, MLC_UNSUPPORTED);
}

TEST_CASE("options that make no sense are refused") {
  FakeModel model(twice());
  mlc_session_options options = {};
  CHECK(refusal(model(), &options, MLC_INVALID_ARGUMENT) ==
        "options.size expects sizeof(mlc_session_options), which is " + std::to_string(sizeof(mlc_session_options)) +
            ", got 0");
  options = withThreads(-1);
  CHECK(refusal(model(), &options, MLC_INVALID_ARGUMENT) == "options.threads expects 0 to 1024, got -1");
  options = withThreads(1025);
  refusal(model(), &options, MLC_INVALID_ARGUMENT);
  options = withThreads(1);
  options.arena_bytes = 64;
  refusal(model(), &options, MLC_INVALID_ARGUMENT);
  alignas(64) char memory[128];
  options.arena = memory + 1;
  CHECK(refusal(model(), &options, MLC_INVALID_ARGUMENT) ==
        "options.arena expects an address that is a multiple of 64");
  CHECK(mlc_session_create(model(), nullptr, nullptr, nullptr) == MLC_INVALID_ARGUMENT);
  refusal(nullptr, nullptr, MLC_INVALID_ARGUMENT);
}

TEST_CASE("a session is on the device where there is one, and says so") {
  FakeModel::Parts parts = twice(), onDevice = twice();
  parts.properties = {{"mlc.target", "host"}};
  onDevice.properties = {{"mlc.target", "device"}};
  parts.arenaBytes = [](const int64_t *) -> int64_t { return 64; };
  onDevice.arenaBytes = [](const int64_t *) -> int64_t { return 4096; };
  FakeModel model(parts), device(onDevice);
  mlc_session *session;
  mlc_error error;

  mlc_device_services services = {};
  services.find = [](const mlc_device_program &, mlc_error *) { return MLC_OK; };
  mlc_device_program program = {};
  program.services = &services;
  model.prefer(device, program);
  REQUIRE(mlc_session_create(model(), nullptr, &session, &error) == MLC_OK);
  CHECK(std::string(mlc_find_property(session->model->info, "mlc.target")) == "device");
  CHECK(std::string(error.text).empty());
  mlc_session_destroy(session);

  services.find = [](const mlc_device_program &, mlc_error *why) {
    return mlc_report(why, MLC_UNSUPPORTED, "there is no device");
  };
  REQUIRE(mlc_session_create(model(), nullptr, &session, &error) == MLC_OK);
  CHECK(session->model == model());
  CHECK(error.status == MLC_OK);
  CHECK(std::string(error.text) == "the session is on the host: there is no device");
  mlc_session_destroy(session);

  // The caller's memory is enough for either.
  uint64_t bytes = 0;
  const int64_t dims[4] = {1, 1, 1, 1};
  REQUIRE(mlc_query_memory(model(), dims, &bytes, nullptr) == MLC_OK);
  CHECK(bytes == 4096);
}

TEST_CASE("a model of another compiler is refused") {
  FakeModel::Parts parts = twice();
  parts.codeAbi = MLC_CODE_ABI + 1;
  FakeModel model(parts);
  CHECK(refusal(model(), nullptr, MLC_UNSUPPORTED) ==
        "model 'fake' was compiled for version " + std::to_string(MLC_CODE_ABI + 1) +
            " of the runtime, this is version " + std::to_string(MLC_CODE_ABI) + "; compile it again");
}

#if defined(__x86_64__)
TEST_CASE("a model for another processor is refused") {
  FakeModel::Parts parts = twice();
  SECTION("with what it lacks") {
    parts.properties = {{"mlc.features", "+sse2,+xop,+avx2"}}; // gone from processors since 2017
    FakeModel model(parts);
    if (!__builtin_cpu_supports("xop"))
      CHECK(refusal(model(), nullptr, MLC_UNSUPPORTED) == "model 'fake' was compiled for processors with xop, which "
                                                          "this one lacks; compile it with --chip for this one");
  }
  SECTION("but not for what it has, does without, or is of no interest") {
    parts.properties = {{"mlc.features", "+sse2,-xop,+64bit,,+prefer-256-bit,+,+sse"}};
    FakeModel model(parts);
    TestSession session(model);
  }
}
#endif

TEST_CASE("a session can compute in the caller's arena") {
  FakeModel model(twice());
  alignas(64) char memory[64] = {};
  mlc_session_options options = withThreads(1);
  options.arena = memory;
  options.arena_bytes = sizeof memory;
  TestSession session(model, options);
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> extents = {2, 3};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({input(x, extents)}, outputs) == MLC_OK);
  CHECK(elements<float>(outputs[0]) == std::vector<float>{2, 4, 6, 8, 10, 12});
  float inArena;
  memcpy(&inArena, memory, sizeof inArena);
  CHECK(inArena == 2);

  const std::vector<float> more(18, 1);
  const std::vector<int64_t> moreExtents = {6, 3};
  CHECK(session.run({input(more, moreExtents)}, outputs) == MLC_OUT_OF_MEMORY);
  CHECK(session.text() == "the run needs an arena of 72 bytes, options.arena_bytes was 64; see mlc_query_memory");
}
