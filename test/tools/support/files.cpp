// Tensors in files: what is written is read back, what numpy and ONNX write is read, what is damaged is refused.
#include "Expected.h"
#include "support/TensorFiles.h"
#include <onnx/onnx-data.pb.h>
#include <onnx/onnx_pb.h>

using namespace mlc;

static Tensor counting(mlc_type type, llvm::ArrayRef<int64_t> extents) {
  Tensor tensor(type, extents);
  for (int64_t i = 0; i < tensor.size(); ++i)
    tensor.setNumber(i, i % 2);
  return tensor;
}

static std::string npyOf(const Tensor &tensor) {
  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  writeNpy(tensor, out);
  return bytes;
}

static std::string protoOf(const Tensor &tensor) {
  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  writeTensorProto(tensor, "x", out);
  return bytes;
}

TEST_CASE("every numeric type survives a TensorProto, and .npy where numpy has it") {
  for (int type = MLC_FLOAT32; type <= MLC_INT2; ++type) {
    if (type == MLC_STRING)
      continue;
    CAPTURE(mlc_type_name(type));
    for (const Tensor &tensor :
         {counting(mlc_type(type), {3, 1, 5}), counting(mlc_type(type), {}), counting(mlc_type(type), {0, 4})}) {
      Tensor read = valueOf(readTensorProto(protoOf(tensor)));
      CHECK((read.type == tensor.type && read.extents == tensor.extents && read.data == tensor.data));
      if (!npyHolds(tensor.type))
        continue;
      read = valueOf(readNpy(npyOf(tensor)));
      CHECK((read.type == tensor.type && read.extents == tensor.extents && read.data == tensor.data));
    }
  }
}

static Tensor strings(std::vector<std::string> texts) {
  Tensor tensor(MLC_STRING, {int64_t(texts.size())});
  tensor.strings = std::move(texts);
  return tensor;
}

/// The value in a file of a port of this form, read again.
static Tensor throughProto(const Tensor &value, mlc_kind kind, bool optional, mlc_type key = MLC_UNDEFINED) {
  mlc_port port = {"x", nullptr, MLC_RANK_UNKNOWN, value.type, kind, optional, key};
  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  writeValueProto(value, port, out);
  return valueOf(readValueProto(bytes, port));
}

TEST_CASE("strings, sequences and optionals survive their messages") {
  Tensor text = strings({"", "a\n", std::string("\0b", 2)});
  CHECK(throughProto(text, MLC_TENSOR, false).strings == text.strings);
  CHECK(throughProto(text, MLC_TENSOR, true).strings == text.strings);
  CHECK(throughProto(Tensor::absent(MLC_STRING), MLC_TENSOR, true).kind == Tensor::IsAbsent);
  Tensor several = Tensor::sequence(MLC_FLOAT32, {counting(MLC_FLOAT32, {2, 3}), counting(MLC_FLOAT32, {})});
  for (bool optional : {false, true}) {
    Tensor read = throughProto(several, MLC_SEQUENCE, optional);
    REQUIRE(read.kind == Tensor::IsSequence);
    REQUIRE(read.items.size() == 2);
    CHECK((read.items[0].extents == several.items[0].extents && read.items[0].data == several.items[0].data));
    CHECK(read.items[1].extents.empty());
    CHECK(throughProto(Tensor::sequence(MLC_FLOAT32, {}), MLC_SEQUENCE, false).items.empty());
  }
}

TEST_CASE("maps survive their messages, in the order of their keys") {
  Tensor numbers(MLC_INT64, {2}), values(MLC_FLOAT64, {2});
  numbers.setNumber(0, 7);
  numbers.setNumber(1, -3);
  values.setNumber(0, 0.5);
  values.setNumber(1, 2);
  Tensor map = Tensor::map(numbers, values), other = Tensor::map(strings({"b", "a"}), strings({"", "x"}));
  for (bool optional : {false, true}) {
    Tensor read = throughProto(map, MLC_MAP, optional, MLC_INT64);
    CHECK(formatElements(read) == "{-3: 2, 7: 0.5}");
    CHECK(formatType(read) == "map of 2 float64");
    CHECK(formatElements(throughProto(other, MLC_MAP, optional, MLC_STRING)) == "{\"a\": \"x\", \"b\": \"\"}");
    Tensor several =
        Tensor::sequence(MLC_FLOAT64, {map, Tensor::map(Tensor(MLC_INT64, {0}), Tensor(MLC_FLOAT64, {0}))});
    read = throughProto(several, MLC_SEQUENCE_OF_MAPS, optional, MLC_INT64);
    CHECK(formatElements(read) == "{-3: 2, 7: 0.5}\n{}");
    CHECK(formatType(read) == "sequence of 2 float64 maps");
  }
}

TEST_CASE("maps that are not the port's are refused") {
  mlc_port port = {"x", nullptr, 0, MLC_FLOAT32, MLC_MAP, 0, MLC_INT64};
  ::onnx::MapProto proto;
  proto.set_key_type(::onnx::TensorProto::STRING);
  proto.add_string_keys("one");
  CHECK_THAT(errorOf(readValueProto(proto.SerializeAsString(), port)),
             Catch::Contains("expects keys of type int64, got string"));
  port.key = MLC_STRING;
  CHECK_THAT(errorOf(readValueProto(proto.SerializeAsString(), port)),
             Catch::Contains("expects a value for each of 1 keys, got 0"));
  ::onnx::TensorProto &value = *proto.mutable_values()->add_tensor_values();
  value.set_data_type(::onnx::TensorProto::INT64);
  value.add_int64_data(1);
  CHECK_THAT(errorOf(readValueProto(proto.SerializeAsString(), port)),
             Catch::Contains("expects values of type float32, got int64"));
}

TEST_CASE("a number of strings that is not the shape's is refused") {
  ::onnx::TensorProto proto;
  proto.set_data_type(::onnx::TensorProto::STRING);
  proto.add_dims(2);
  proto.add_string_data("one");
  CHECK_THAT(errorOf(readTensorProto(proto.SerializeAsString())),
             Catch::Contains("expects the elements of string 2, got 1"));
}

static std::string npy(llvm::StringRef header, llvm::StringRef elements) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size());
  bytes += '\0';
  return bytes + header.str() + elements.str();
}

TEST_CASE("the headers that numpy writes are read") {
  llvm::StringRef six("\x01\x02\x03\x04\x05\x06", 6);
  Tensor rows = valueOf(readNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", six)));
  CHECK(formatElements(rows) == "[[1 2 3]\n [4 5 6]]");
  Tensor columns = valueOf(readNpy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", six)));
  CHECK(formatElements(columns) == "[[1 3 5]\n [2 4 6]]");
  Tensor vector = valueOf(readNpy(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", six)));
  CHECK(formatType(vector.type, vector.extents) == "int16 3");
  Tensor scalar = valueOf(readNpy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", six.take_front(1))));
  CHECK(formatElements(scalar) == "true");
}

TEST_CASE("damaged .npy files are refused") {
  std::string good = npyOf(counting(MLC_FLOAT32, {4}));
  CHECK_THAT(errorOf(readNpy("")), Catch::Contains("not a .npy file"));
  CHECK_THAT(errorOf(readNpy(good.substr(0, 40))), Catch::Contains("ends inside its header"));
  CHECK_THAT(errorOf(readNpy(good.substr(0, good.size() - 1))),
             Catch::Contains("expects 16 bytes for float32 4, got 15"));
  CHECK_THAT(errorOf(readNpy(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "1234"))),
             Catch::Contains("little-endian"));
  CHECK_THAT(errorOf(readNpy(npy("{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }", "1234"))),
             Catch::Contains("no ONNX type"));
  CHECK_THAT(errorOf(readNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "1234"))),
             Catch::Contains("expects extents"));
  CHECK_THAT(
      errorOf(readNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "1234"))),
      Catch::Contains("a possible number of bytes"));
  CHECK_THAT(errorOf(readNpy(npy("{}", "1234"))), Catch::Contains("no ONNX type"));
}

TEST_CASE("elements in the fields of wider types are read") {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT16);
  proto.add_dims(2);
  proto.add_int32_data(0x3c00);
  proto.add_int32_data(0xc000);
  Tensor halves = valueOf(readTensorProto(proto.SerializeAsString()));
  CHECK(halves.numberAt(0) == 1);
  CHECK(halves.numberAt(1) == -2);

  proto.set_data_type(onnx::TensorProto::INT4); // two in a number
  proto.clear_int32_data();
  proto.add_int32_data(0x7f);
  Tensor nibbles = valueOf(readTensorProto(proto.SerializeAsString()));
  CHECK(nibbles.integerAt(0) == -1);
  CHECK(nibbles.integerAt(1) == 7);

  proto.set_data_type(onnx::TensorProto::COMPLEX64);
  proto.clear_int32_data();
  for (float part : {1, 2, 3, 4})
    proto.add_float_data(part);
  CHECK(valueOf(readTensorProto(proto.SerializeAsString())).complexAt(1) == std::complex<double>(3, 4));
}

TEST_CASE("damaged TensorProtos are refused") {
  CHECK_THAT(errorOf(readTensorProto("no protobuf")), Catch::Contains("not an ONNX TensorProto"));
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT);
  proto.add_dims(2);
  proto.add_float_data(1);
  CHECK_THAT(errorOf(readTensorProto(proto.SerializeAsString())),
             Catch::Contains("expects 2 numbers for float32 2, got 1"));
  proto.set_raw_data("12345");
  CHECK_THAT(errorOf(readTensorProto(proto.SerializeAsString())),
             Catch::Contains("expects 8 bytes for float32 2, got 5"));
  proto.set_dims(0, int64_t(1) << 40);
  CHECK_THAT(errorOf(readTensorProto(proto.SerializeAsString())),
             Catch::Contains("expects elements for float32 1099511627776"));
  proto.set_dims(0, -1);
  CHECK_THAT(errorOf(readTensorProto(proto.SerializeAsString())), Catch::Contains("expects elements for float32 -1"));
}

// Two pixels side by side: red and white.
static const unsigned char png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00,
    0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x7b, 0x40, 0xe8, 0xdd, 0x00, 0x00, 0x00,
    0x0f, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0xff, 0xff, 0x7f, 0x00, 0x0b, 0xfb,
    0x03, 0xfd, 0xdd, 0x17, 0x6f, 0x47, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

static Tensor picture(llvm::ArrayRef<int64_t> extents, mlc_type type = MLC_FLOAT32) {
  mlc_port port{"image", extents.data(), int32_t(extents.size()), int32_t(type), MLC_TENSOR, 0, MLC_UNDEFINED};
  return valueOf(readPicture(llvm::StringRef(reinterpret_cast<const char *>(png), sizeof png), port));
}

TEST_CASE("pictures follow the extents of the input") {
  constexpr int64_t open = -1;
  CHECK(formatElements(picture({1, 3, open, open})) == "[[[[255 255]]\n\n  [[  0 255]]\n\n  [[  0 255]]]]");
  CHECK(picture({open, open, open, 3}, MLC_UINT8).extents == llvm::SmallVector<int64_t, 4>{1, 1, 2, 3});
  CHECK(formatElements(picture({open, 2, 3}, MLC_UINT8)) == "[[[255   0   0]\n  [255 255 255]]]");
  CHECK(formatElements(picture({1, 1, 1, 2})) == "[[[[ 76 255]]]]"); // grey
  CHECK(formatElements(picture({1, 2})) == "[[ 76 255]]");
  mlc_port vector{"x", nullptr, 1, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED};
  CHECK_THAT(errorOf(readPicture("", vector)), Catch::Contains("rank 2 to 4, got 1"));
  int64_t extents[] = {1, 3, 1, 2};
  mlc_port port{"x", extents, 4, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED};
  CHECK_THAT(errorOf(readPicture("no picture", port)), Catch::Contains("not a picture"));
}
