// Compiled models in C++20: classes over the C interface in mlc.h. Header-only; errors are exceptions.
//
//   mlc::Model model = mlc::Model::open("./resnet50.so");     or mlc::Model(resnet50_mlc), when it is linked
//   mlc::Session session(model, {.threads = 4});
//   std::vector<mlc::Tensor> outputs = session.run({mlc::Input(pixels, {1, 3, 224, 224})});
//   std::span<const float> scores = outputs[0].data<float>();
//
// What mlc.h says of threads and lifetimes holds here too, except that a session keeps the library of its model loaded.
#ifndef MLC_MLC_HPP
#define MLC_MLC_HPP

#include "mlc/mlc.h"
#include <algorithm>
#include <complex>
#include <cstddef>
#include <dlfcn.h>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mlc {

/// What a function of mlc.h returned other than MLC_OK; what() is its text.
class Error : public std::runtime_error {
public:
  Error(mlc_status status, const std::string &text) : std::runtime_error(text), code(status) {}
  mlc_status status() const noexcept { return code; }

private:
  mlc_status code;
};

inline void check(mlc_status status, const mlc_error &error) {
  if (status != MLC_OK)
    throw Error(status, error.text);
}

/// The mlc_type of a C++ type. Specialize it for types of your own, such as a 16-bit float.
template <typename Element> struct TypeOf;
template <mlc_type type> using TypeConstant = std::integral_constant<mlc_type, type>;
template <> struct TypeOf<float> : TypeConstant<MLC_FLOAT32> {};
template <> struct TypeOf<double> : TypeConstant<MLC_FLOAT64> {};
template <> struct TypeOf<bool> : TypeConstant<MLC_BOOL> {};
template <> struct TypeOf<std::int8_t> : TypeConstant<MLC_INT8> {};
template <> struct TypeOf<std::int16_t> : TypeConstant<MLC_INT16> {};
template <> struct TypeOf<std::int32_t> : TypeConstant<MLC_INT32> {};
template <> struct TypeOf<std::int64_t> : TypeConstant<MLC_INT64> {};
template <> struct TypeOf<std::uint8_t> : TypeConstant<MLC_UINT8> {};
template <> struct TypeOf<std::uint16_t> : TypeConstant<MLC_UINT16> {};
template <> struct TypeOf<std::uint32_t> : TypeConstant<MLC_UINT32> {};
template <> struct TypeOf<std::uint64_t> : TypeConstant<MLC_UINT64> {};
template <> struct TypeOf<mlc_string> : TypeConstant<MLC_STRING> {};
template <> struct TypeOf<mlc_tensor> : TypeConstant<MLC_ITEM> {};  ///< of sequences
template <> struct TypeOf<mlc_map> : TypeConstant<MLC_MAP_ITEM> {}; ///< of maps and sequences of maps
template <> struct TypeOf<std::complex<float>> : TypeConstant<MLC_COMPLEX64> {};
template <> struct TypeOf<std::complex<double>> : TypeConstant<MLC_COMPLEX128> {};
template <typename Element> inline constexpr mlc_type typeOf = TypeOf<std::remove_cv_t<Element>>::value;

/// A model, and the library that holds it. Copies share it.
class Model {
public:
  /// A model that is linked into the program: mlc::Model(name_mlc).
  explicit Model(mlc_entry entry) : model(entry(MLC_VERSION)) {
    if (!model)
      throw Error(MLC_UNSUPPORTED, "the model offers another version of this interface; compile it again");
  }

  /// Loads a library that mlc has written. A path without a slash is searched for as dlopen does.
  static Model open(const std::string &path) {
    std::shared_ptr<void> library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), [](void *handle) {
      if (handle)
        dlclose(handle);
    });
    if (!library)
      throw Error(MLC_INVALID_ARGUMENT, dlerror());
    void *entry = dlsym(library.get(), "mlc_model_entry");
    if (!entry)
      throw Error(MLC_INVALID_ARGUMENT, path + " is not a compiled model: it has no mlc_model_entry");
    Model result(reinterpret_cast<mlc_entry>(entry));
    result.library = std::move(library);
    return result;
  }

  const mlc_model_info &info() const noexcept { return *model->info; }
  std::string_view name() const noexcept { return info().name; }
  std::span<const mlc_port> inputs() const noexcept { return {info().inputs, info().input_count}; }
  std::span<const mlc_port> outputs() const noexcept { return {info().outputs, info().output_count}; }
  /// Names of the symbolic dimensions, in the order in which dims are passed.
  std::span<const char *const> symbols() const noexcept { return {info().symbols, info().symbol_count}; }
  std::span<const mlc_property> properties() const noexcept { return {info().properties, info().property_count}; }
  std::optional<std::string_view> property(const std::string &key) const {
    const char *value = mlc_find_property(&info(), key.c_str());
    return value ? std::optional<std::string_view>(value) : std::nullopt;
  }

  /// Bytes of memory that a session needs for intermediate values.
  std::uint64_t memory(std::span<const std::int64_t> dims = {}) const {
    checkCount(dims);
    std::uint64_t bytes = 0;
    mlc_error error;
    check(mlc_query_memory(model, dims.data(), &bytes, &error), error);
    return bytes;
  }

  /// Extents of an output; MLC_EXTENT_UNKNOWN where only a run can tell.
  std::vector<std::int64_t> outputShape(std::uint32_t output, std::span<const std::int64_t> dims = {}) const {
    checkCount(dims);
    std::vector<std::int64_t> shape(output < outputs().size() ? std::size_t(std::max(outputs()[output].rank, 0)) : 0);
    mlc_error error;
    check(mlc_query_output(model, output, dims.data(), shape.data(), &error), error);
    return shape;
  }

  const mlc_model *handle() const noexcept { return model; }

private:
  void checkCount(std::span<const std::int64_t> dims) const {
    if (dims.size() != symbols().size())
      throw Error(MLC_INVALID_ARGUMENT,
                  "expects " + std::to_string(symbols().size()) + " dims, got " + std::to_string(dims.size()));
  }

  std::shared_ptr<void> library; ///< null when linked
  const mlc_model *model;
};

/// Memory that a run reads. It refers to the caller's data, and owns its shape.
class Input {
public:
  /// `data` is anything contiguous: a vector, an array, a span. Strides are in elements; none: contiguous. Without a
  /// name it is the input at its place in the run's list.
  template <typename Range>
  Input(const Range &data, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides = {},
        std::string name = {})
      : elements(std::data(data)), bytes(std::size(data) * sizeof(*std::data(data))),
        type(typeOf<std::remove_pointer_t<decltype(std::data(data))>>), axes(std::move(shape)),
        steps(std::move(strides)), portName(std::move(name)) {
    checkStrides();
  }

  /// Of any type, for elements that C++ cannot say.
  Input(mlc_type type, const void *data, std::uint64_t bytes, std::vector<std::int64_t> shape,
        std::vector<std::int64_t> strides = {}, std::string name = {})
      : elements(data), bytes(bytes), type(type), axes(std::move(shape)), steps(std::move(strides)),
        portName(std::move(name)) {
    checkStrides();
  }

  /// An optional input that is not there.
  static Input absent() { return Input(Absent()); }

  /// The same for the input of this name.
  Input named(std::string name) && {
    portName = std::move(name);
    return std::move(*this);
  }

  /// The same in memory of the device, whose name `data` is.
  Input onDevice() && {
    place = MLC_ON_DEVICE;
    return std::move(*this);
  }

  /// Refers to this object.
  mlc_input raw() const {
    return {portName.empty() ? nullptr : portName.c_str(),
            elements,
            bytes,
            axes.data(),
            steps.empty() ? nullptr : steps.data(),
            isAbsent ? MLC_ABSENT : std::int32_t(axes.size()),
            std::int32_t(type),
            place};
  }

private:
  struct Absent {};
  explicit Input(Absent) : elements(nullptr), bytes(0), type(MLC_UNDEFINED), isAbsent(true) {}

  void checkStrides() const {
    if (!steps.empty() && steps.size() != axes.size())
      throw Error(MLC_INVALID_ARGUMENT, "expects one stride for each axis, got " + std::to_string(steps.size()) +
                                            " for " + std::to_string(axes.size()));
  }

  const void *elements;
  std::uint64_t bytes;
  mlc_type type;
  std::vector<std::int64_t> axes, steps;
  std::string portName;
  bool isAbsent = false;
  mlc_place place = MLC_ON_HOST;
};

inline mlc_string stringOf(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view textOf(const mlc_string &string) noexcept { return {string.data, std::size_t(string.size)}; }
/// One tensor for a sequence: contiguous data, whose shape outlives the run.
template <typename Range> mlc_tensor item(const Range &data, std::span<const std::int64_t> shape) {
  return {std::data(data), std::size(data) * sizeof(*std::data(data)), shape.data(), std::int32_t(shape.size()),
          typeOf<std::remove_pointer_t<decltype(std::data(data))>>};
}

/// A map for an input, which is Input(std::span(&map, 1), {}): contiguous keys and as many values; `length` is that
/// number, and outlives the run.
template <typename Keys, typename Values>
mlc_map mapOf(const Keys &keys, const Values &values, const std::int64_t &length) {
  return {item(keys, std::span(&length, 1)), item(values, std::span(&length, 1))};
}

/// The elements of a finished output, or of a tensor of a sequence; throws if its type is another. Of an output that is
/// absent, none.
template <typename Element, typename Output> std::span<const Element> elementsOf(const Output &output) {
  if (output.type != typeOf<Element>)
    throw Error(MLC_INVALID_ARGUMENT, std::string("expects elements of type ") + mlc_type_name(typeOf<Element>) +
                                          ", got " + mlc_type_name(output.type));
  std::size_t count = output.rank < 0 ? 0 : 1;
  for (std::int32_t axis = 0; axis < output.rank; ++axis)
    count *= std::size_t(output.extents[axis]);
  return {static_cast<const Element *>(output.data), count};
}

/// An output that a run has handed over; owns its memory.
class Tensor {
public:
  Tensor(Model model, const mlc_output &output) : model(std::move(model)), output(output) {}
  Tensor(Tensor &&other) noexcept : model(other.model), output(std::exchange(other.output, {})) {}
  Tensor &operator=(Tensor &&other) noexcept {
    std::swap(model, other.model);
    std::swap(output, other.output);
    return *this;
  }
  ~Tensor() { mlc_release(model.handle(), output.data); }

  mlc_type type() const noexcept { return mlc_type(output.type); }
  /// False for an optional output that the run did not give.
  bool isPresent() const noexcept { return output.rank != MLC_ABSENT; }
  std::span<const std::int64_t> shape() const noexcept {
    return {output.extents, std::size_t(isPresent() ? output.rank : 0)};
  }
  /// data<mlc_string>() of strings, see textOf(); data<mlc_tensor>() of a sequence, data<mlc_map>() of a map or a
  /// sequence of maps, see elementsOf().
  template <typename Element> std::span<const Element> data() const { return elementsOf<Element>(output); }
  /// Of any type.
  std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte *>(output.data), std::size_t(output.bytes)};
  }

private:
  Model model;
  mlc_output output;
};

/// Memory and threads for runs, one at a time.
class Session {
public:
  struct Options {
    int threads = 0; ///< that compute at a time; 0: one for each core
    mlc_executor executor = nullptr;
    void *executorContext = nullptr;
    std::span<std::byte> arena = {}; ///< memory for intermediate values, 64-byte aligned; none: the session's own
    void *queue = nullptr;           ///< the caller's queue of the device, see mlc_session_options
  };

  explicit Session(Model model) : Session(std::move(model), Options()) {}
  Session(Model model, const Options &options) : owner(std::move(model)) {
    mlc_session_options raw = {};
    raw.size = sizeof raw;
    raw.threads = options.threads;
    raw.executor = options.executor;
    raw.executor_context = options.executorContext;
    raw.arena = options.arena.data();
    raw.arena_bytes = options.arena.size();
    raw.queue = options.queue;
    mlc_error error;
    check(mlc_session_create(owner.handle(), &raw, &session, &error), error);
  }
  Session(Session &&other) noexcept : owner(other.owner), session(std::exchange(other.session, nullptr)) {}
  Session &operator=(Session &&other) noexcept {
    std::swap(owner, other.owner);
    std::swap(session, other.session);
    return *this;
  }
  ~Session() { mlc_session_destroy(session); }

  /// Runs the model; every output is a new tensor, in the model's order.
  std::vector<Tensor> run(std::span<const Input> inputs) {
    std::vector<mlc_output> outputs(owner.outputs().size());
    for (mlc_output &output : outputs)
      output.memory = MLC_MEMORY_HANDED_OVER;
    std::vector<Tensor> tensors;
    tensors.reserve(outputs.size()); // first: what a run has handed over must not be lost to an exception
    run(inputs, outputs);
    for (mlc_output &output : outputs)
      tensors.emplace_back(owner, output);
    return tensors;
  }
  std::vector<Tensor> run(std::initializer_list<Input> inputs) { return run(std::span(inputs.begin(), inputs.size())); }

  /// Runs the model into what `outputs` ask for, as mlc.h describes; see into() and elementsOf().
  void run(std::span<const Input> inputs, std::span<mlc_output> outputs) {
    std::vector<mlc_input> raw;
    raw.reserve(inputs.size());
    for (const Input &input : inputs)
      raw.push_back(input.raw());
    mlc_error error;
    check(
        mlc_run(session, raw.data(), std::uint32_t(raw.size()), outputs.data(), std::uint32_t(outputs.size()), &error),
        error);
  }
  void run(std::initializer_list<Input> inputs, std::span<mlc_output> outputs) {
    run(std::span(inputs.begin(), inputs.size()), outputs);
  }

  /// What each kernel of a model compiled with --profile has taken.
  std::span<const mlc_kernel_time> kernelTimes() const noexcept {
    const mlc_kernel_time *times = mlc_kernel_times(session);
    return {times, times ? owner.info().kernel_count : 0};
  }

  const Model &model() const noexcept { return owner; }
  mlc_session *handle() const noexcept { return session; }

private:
  Model owner; ///< keeps the library loaded
  mlc_session *session = nullptr;
};

/// A request for an output in the caller's memory: anything contiguous that can be written.
template <typename Range> mlc_output into(Range &&room) {
  mlc_output output = {};
  output.data = std::data(room);
  output.bytes = std::size(room) * sizeof(*std::data(room));
  output.type = typeOf<std::remove_pointer_t<decltype(std::data(room))>>;
  return output;
}

/// A request for an output in the session's memory, valid until its next run.
inline mlc_output borrowed() {
  mlc_output output = {};
  output.memory = MLC_MEMORY_SESSION;
  return output;
}

/// A request for an output in `bytes` of the caller's memory on the device.
inline mlc_output intoDevice(void *memory, std::uint64_t bytes) {
  mlc_output output = {};
  output.data = memory;
  output.bytes = bytes;
  output.place = MLC_ON_DEVICE;
  return output;
}

/// A request for an output in the session's memory on the device, valid until its next run.
inline mlc_output borrowedOnDevice() {
  mlc_output output = borrowed();
  output.place = MLC_ON_DEVICE;
  return output;
}

} // namespace mlc

#endif
