// Pages made by PageEncoder: bytes known from other writers, and round trips through PageDecoder.
#include <cstdlib>
#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "encoding/page.h"

namespace glaive::encoding {

namespace {

using arrow::field;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;
using Metadata = std::map<std::string, std::string>;

std::string Hex(std::string_view bytes) {
  std::string out;
  for (unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string HexOf(const arrow::Buffer& buffer) {
  return Hex({reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(buffer.size())});
}

/// The layout inside the Any, in hex.
std::string LayoutOf(const EncodedPage& page) {
  constexpr size_t kUrlEnd = 2 + 29;
  return Hex(page.encoding.substr(kUrlEnd + 2));
}

ArrayPtr Json(const TypePtr& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::shared_ptr<LeafDescriptor> LeafOf(const TypePtr& type, LeafKind kind,
                                       const Metadata& metadata) {
  auto leaf = std::make_shared<LeafDescriptor>();
  leaf->kind = kind;
  leaf->path_type = type;
  leaf->leaf_metadata = metadata;
  leaf->column_metadata = metadata;
  leaf->name = "c";
  return leaf;
}

arrow::Result<std::vector<EncodedPage>> Encode(const arrow::ArrayVector& chunks, uint16_t version,
                                               const Metadata& metadata = {},
                                               LeafKind kind = LeafKind::kPrimitive) {
  ARROW_ASSIGN_OR_RAISE(auto encoder,
                        PageEncoder::Make(LeafOf(chunks[0]->type(), kind, metadata), {version}));
  return encoder->Encode(chunks, arrow::default_memory_pool());
}

EncodedPage EncodeOne(const ArrayPtr& array, uint16_t version = 2, const Metadata& metadata = {}) {
  auto pages = Encode({array}, version, metadata).ValueOrDie();
  EXPECT_EQ(pages.size(), 1u);
  return pages.at(0);
}

Buffers Fetch(const EncodedPage& page, const std::vector<BufferRange>& ranges) {
  Buffers out;
  for (const auto& range : ranges) {
    out.push_back(arrow::SliceBuffer(page.buffers.at(range.buffer),
                                     static_cast<int64_t>(range.offset),
                                     static_cast<int64_t>(range.length)));
  }
  return out;
}

/// An encoded page, opened.
class OpenedPage {
 public:
  OpenedPage(EncodedPage page, std::shared_ptr<const LeafDescriptor> leaf, uint16_t version)
      : page_(std::move(page)) {
    PageDescriptor descriptor;
    descriptor.num_rows = page_.num_rows;
    descriptor.encoding = page_.encoding;
    descriptor.version_minor = version;
    for (const auto& buffer : page_.buffers) {
      descriptor.buffer_sizes.push_back(static_cast<uint64_t>(buffer->size()));
    }
    decoder_ = PageDecoder::Open(std::move(leaf), descriptor).ValueOrDie();
    EXPECT_TRUE(decoder_->LoadIndex(Fetch(page_, decoder_->IndexNeeds())).ok());
  }

  uint64_t num_rows() const { return decoder_->num_rows(); }

  std::string Describe() const { return decoder_->Describe(); }

  arrow::Result<ArrayPtr> Read(const RowRanges& rows) const {
    const auto row_index = Fetch(page_, decoder_->RowIndexNeeds(rows));
    ARROW_ASSIGN_OR_RAISE(const auto needs, decoder_->DataNeeds(rows, row_index));
    return decoder_->Decode(rows, row_index, Fetch(page_, needs), arrow::default_memory_pool());
  }

 private:
  EncodedPage page_;
  std::unique_ptr<PageDecoder> decoder_;
};

void ExpectSame(const arrow::Array& found, const arrow::Array& expected, const std::string& what) {
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  ASSERT_TRUE(found.Equals(expected, options)) << what << "\n"
                                               << expected.type()->ToString() << "\n"
                                               << found.Diff(expected).substr(0, 400);
}

/// Encodes, decodes all, then single ranges of rows; returns the description of the first page.
std::string RoundTrip(const arrow::ArrayVector& chunks, uint16_t version,
                      const Metadata& metadata = {}, LeafKind kind = LeafKind::kPrimitive) {
  const auto whole = arrow::Concatenate(chunks).ValueOrDie();
  const auto leaf = LeafOf(whole->type(), kind, metadata);
  auto encoded = Encode(chunks, version, metadata, kind);
  EXPECT_TRUE(encoded.ok()) << whole->type()->ToString() << ": " << encoded.status().ToString();
  if (!encoded.ok()) {
    return "";
  }
  std::string description;
  int64_t row = 0;
  for (auto& page : *encoded) {
    const OpenedPage opened(std::move(page), leaf, version);
    description = description.empty() ? opened.Describe() : description;
    const auto rows = opened.num_rows();
    const auto expected = whole->Slice(row, static_cast<int64_t>(rows));
    row += static_cast<int64_t>(rows);
    std::vector<RowRanges> selections = {{{0, rows}}};
    if (rows > 3) {
      selections.push_back({{rows / 3, rows / 3 + 1}});
      selections.push_back({{0, 1}, {rows / 2, rows - 1}});
    }
    for (const auto& selection : selections) {
      auto read = opened.Read(selection);
      EXPECT_TRUE(read.ok()) << opened.Describe() << ": " << read.status().ToString();
      if (!read.ok()) {
        return description;
      }
      arrow::ArrayVector parts;
      for (const auto& range : selection) {
        parts.push_back(
            expected->Slice(static_cast<int64_t>(range.start), static_cast<int64_t>(range.size())));
      }
      ExpectSame(**read, *arrow::Concatenate(parts).ValueOrDie(), opened.Describe());
    }
  }
  EXPECT_EQ(row, whole->length());
  return description;
}

// ---- bytes known from files of other writers ----

TEST(PageEncoder, PlainIntegersAreTheKnownBytes) {
  const auto array = Json(arrow::int32(), "[1, 2, 3, 4, 5]");
  const auto page = EncodeOne(array);
  EXPECT_EQ(LayoutOf(page),
            "0a0f1a040a0208203201013801480550"
            "01");
  EXPECT_EQ(HexOf(*page.buffers[0]), "30000000");
  EXPECT_EQ(HexOf(*page.buffers[1]),
            "000014000000fefe0100000002000000030000000400000005000000fefefefe");
  const auto page21 = EncodeOne(array, 1);
  EXPECT_EQ(LayoutOf(page21), "0a0d1a040a02082032010138014805");
  EXPECT_EQ(HexOf(*page21.buffers[0]), "3000");
  EXPECT_EQ(HexOf(*page21.buffers[1]).substr(0, 16), "00001400fefefefe");
}

TEST(PageEncoder, NullableIntegersAreTheKnownBytes) {
  const auto page = EncodeOne(Json(arrow::int32(), "[1, null, 3, null, 5]"));
  EXPECT_EQ(LayoutOf(page),
            "0a1512040a0208101a040a0208203201033801480550"
            "01");
  EXPECT_EQ(HexOf(*page.buffers[0]), "50000000");
  EXPECT_EQ(HexOf(*page.buffers[1]).substr(0, 48),
            "05000a001400000000000100000001000000fefefefefefe");
}

TEST(PageEncoder, ListsAreTheKnownBytes) {
  const auto page = EncodeOne(Json(arrow::list(arrow::int32()), "[[1, 2], null, [], [3, null]]"));
  EXPECT_EQ(LayoutOf(page), "0a1e0a040a02081012040a0208101a040a020820320203063801400148045001");
  EXPECT_EQ(HexOf(*page.buffers[0]), "70000000");
  EXPECT_EQ(HexOf(*page.buffers[1]).substr(0, 96),
            "06000c000c0010000000fefefefefefe"
            "010000000100010001000000fefefefe"
            "000000000200030000000100fefefefe");
  EXPECT_EQ(HexOf(*page.buffers[2]), "04000000000000000000000000000000");
}

TEST(PageEncoder, StringsAreTheKnownBytes) {
  const auto page = EncodeOne(Json(arrow::utf8(), R"(["a", null, "", "dddd"])"));
  EXPECT_EQ(LayoutOf(page), "0a1912040a0208101a0812060a040a020820320103380148045001");
  EXPECT_EQ(HexOf(*page.buffers[1]),
            "040008001c00000000000100000000001400000015000000150000001500000019000000"
            "6164646464484848fefefefe");
}

TEST(PageEncoder, ConstantsAreTheKnownBytes) {
  const auto same = EncodeOne(Json(arrow::int32(), "[7, 7, 7, 7]"));
  EXPECT_EQ(LayoutOf(same), "12092a0101320407000000");
  EXPECT_TRUE(same.buffers.empty());
  const auto nulls = EncodeOne(Json(arrow::int32(), "[7, null, 7]"));
  EXPECT_EQ(LayoutOf(nulls), "12092a0103320407000000");
  EXPECT_EQ(nulls.buffers[0]->size(), 0);
  EXPECT_EQ(HexOf(*nulls.buffers[1]), "000001000000");
  const auto text = EncodeOne(Json(arrow::utf8(), R"(["hello", "hello"])"));
  EXPECT_EQ(LayoutOf(text), "12032a0101");
  EXPECT_EQ(HexOf(*text.buffers[0]),
            "0200000008000000050000000000000005000000"
            "68656c6c6f");
}

TEST(PageEncoder, AllNullIsWithoutBuffers) {
  const auto page = EncodeOne(arrow::MakeArrayOfNull(arrow::float64(), 10).ValueOrDie(), 1);
  EXPECT_EQ(LayoutOf(page), "12032a0103");
  EXPECT_TRUE(page.buffers.empty());
}

TEST(PageEncoder, FullZipStringsAreTheKnownBytes) {
  const Metadata fullzip = {{"lance-encoding:structural-encoding", "fullzip"}};
  const auto page = EncodeOne(Json(arrow::utf8(), R"(["abc0", "abc1", null, "abc3"])"), 2, fullzip);
  EXPECT_EQ(HexOf(*page.buffers[0]),
            "000400000061626330"
            "000400000061626331"
            "01"
            "000400000061626333");
  EXPECT_EQ(HexOf(*page.buffers[1]), "000912131c");
  EXPECT_EQ(LayoutOf(page),
            "1a15100120202804300"
            "43a0812060a040a020820420103");
}

// ---- what must not be copied or mixed up ----

TEST(PageEncoder, VectorsAreTheCallersBytes) {
  arrow::FloatBuilder builder;
  for (int i = 0; i < 128 * 10; ++i) {
    ASSERT_TRUE(builder.Append(static_cast<float>(i)).ok());
  }
  const auto items = builder.Finish().ValueOrDie();
  const auto vectors =
      arrow::FixedSizeListArray::FromArrays(items, arrow::fixed_size_list(arrow::float32(), 128))
          .ValueOrDie();
  const auto page = EncodeOne(vectors->Slice(2, 5));
  ASSERT_EQ(page.buffers.size(), 1u);
  EXPECT_EQ(page.buffers[0]->data(), items->data()->buffers[1]->data() + 2 * 512);
  EXPECT_EQ(page.buffers[0]->size(), 5 * 512);
}

TEST(PageEncoder, LongStringsBelowNullStructsStayOutOfFullZip) {
  const auto type = arrow::struct_({field("l", arrow::list(arrow::utf8()))});
  std::string json = "[null, {\"l\": null}";
  for (int i = 0; i < 40; ++i) {
    json += ", {\"l\": [\"" + std::string(400, static_cast<char>('a' + i % 26)) +
            std::to_string(i) + "\", null]}";
  }
  const auto description = RoundTrip({Json(type, json + "]")}, 2);
  EXPECT_EQ(description.find("full"), std::string::npos) << description;
}

TEST(PageEncoder, GarbageBelowNullsIsNotStored) {
  auto values = Json(arrow::int32(), "[1, 2, 3, 4]");
  auto bitmap = Json(arrow::boolean(), "[true, false, true, false]");
  const auto with_garbage = arrow::MakeArray(arrow::ArrayData::Make(
      arrow::int32(), 4, {bitmap->data()->buffers[1], values->data()->buffers[1]}, 2));
  const auto page = EncodeOne(with_garbage);
  EXPECT_EQ(HexOf(*page.buffers[1]).substr(32, 32), "01000000010000000300000003000000");
  RoundTrip({with_garbage}, 2);
}

TEST(PageEncoder, RefusesWhatTheVersionLacks) {
  const auto item = arrow::struct_({field("a", arrow::int32())});
  EXPECT_FALSE(Encode({Json(arrow::fixed_size_list(item, 2), "[]")}, 1).ok());
  EXPECT_FALSE(Encode({Json(arrow::map(arrow::utf8(), arrow::int32()), "[[]]")}, 2).ok());
  EXPECT_FALSE(
      Encode({Json(arrow::int32(), "[1]")}, 2, {{"lance-encoding:compression", "x"}}).ok());
  EXPECT_FALSE(
      Encode({Json(arrow::int32(), "[1]")}, 2, {{"lance-encoding:dict-size-ratio", "0.0"}}).ok());
}

// ---- round trips ----

/// Random arrays; the seed is printed with every failure.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  bool Chance(double p) { return static_cast<double>(random_() >> 11) * 0x1p-53 < p; }

  ArrayPtr Make(const TypePtr& type, int64_t length, double nulls) {
    auto builder = arrow::MakeBuilder(type).ValueOrDie();
    domain_ = Chance(0.3) ? 3 : Chance(0.5) ? 200 : 1000000;
    for (int64_t i = 0; i < length; ++i) {
      Append(builder.get(), nulls);
    }
    return builder->Finish().ValueOrDie();
  }

  TypePtr Type(int depth) {
    const uint64_t kinds = depth == 0 ? 12 : 15;
    switch (Below(kinds)) {
      case 0:
        return arrow::boolean();
      case 1:
        return arrow::int8();
      case 2:
        return arrow::int16();
      case 3:
        return arrow::int32();
      case 4:
        return arrow::int64();
      case 5:
        return arrow::float32();
      case 6:
        return arrow::float64();
      case 7:
        return arrow::utf8();
      case 8:
        return arrow::large_binary();
      case 9:
        return arrow::fixed_size_binary(static_cast<int32_t>(1 + Below(40)));
      case 10:
        return arrow::fixed_size_list(arrow::float32(), static_cast<int32_t>(1 + Below(80)));
      case 11:
        return arrow::decimal128(20, 2);
      case 12:
        return arrow::list(Type(depth - 1));
      case 13:
        return arrow::large_list(Type(depth - 1));
      default:
        return arrow::struct_({field("m", Type(depth - 1))});
    }
  }

 private:
  template <typename Builder>
  void AppendNumber(arrow::ArrayBuilder* builder) {
    using Value = typename Builder::value_type;
    Check(static_cast<Builder*>(builder)->Append(static_cast<Value>(Below(domain_))));
  }

  std::string Bytes(size_t length) {
    std::string out(length, ' ');
    for (auto& c : out) {
      c = static_cast<char>('a' + Below(domain_ == 3 ? 2 : 26));
    }
    return out;
  }

  static void Check(const arrow::Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

  void Append(arrow::ArrayBuilder* builder, double nulls) {
    if (Chance(nulls)) {
      return Check(builder->AppendNull());
    }
    switch (builder->type()->id()) {
      case arrow::Type::BOOL:
        return Check(static_cast<arrow::BooleanBuilder*>(builder)->Append(Chance(0.5)));
      case arrow::Type::INT8:
        return AppendNumber<arrow::Int8Builder>(builder);
      case arrow::Type::INT16:
        return AppendNumber<arrow::Int16Builder>(builder);
      case arrow::Type::INT32:
        return AppendNumber<arrow::Int32Builder>(builder);
      case arrow::Type::INT64:
        return AppendNumber<arrow::Int64Builder>(builder);
      case arrow::Type::FLOAT:
        return AppendNumber<arrow::FloatBuilder>(builder);
      case arrow::Type::DOUBLE:
        return AppendNumber<arrow::DoubleBuilder>(builder);
      case arrow::Type::STRING:
        return Check(
            static_cast<arrow::StringBuilder*>(builder)->Append(Bytes(Below(long_ ? 700 : 20))));
      case arrow::Type::LARGE_BINARY:
        return Check(static_cast<arrow::LargeBinaryBuilder*>(builder)->Append(Bytes(Below(9))));
      case arrow::Type::FIXED_SIZE_BINARY: {
        auto* fixed = static_cast<arrow::FixedSizeBinaryBuilder*>(builder);
        return Check(fixed->Append(Bytes(static_cast<size_t>(fixed->byte_width()))));
      }
      case arrow::Type::DECIMAL128:
        return Check(static_cast<arrow::Decimal128Builder*>(builder)->Append(
            arrow::Decimal128(static_cast<int64_t>(Below(domain_)) - 100)));
      case arrow::Type::FIXED_SIZE_LIST: {
        auto* list = static_cast<arrow::FixedSizeListBuilder*>(builder);
        Check(list->Append());
        const auto size =
            static_cast<const arrow::FixedSizeListType&>(*builder->type()).list_size();
        for (int32_t i = 0; i < size; ++i) {
          Append(list->value_builder(), nulls / 4);
        }
        return;
      }
      case arrow::Type::LIST: {
        auto* list = static_cast<arrow::ListBuilder*>(builder);
        Check(list->Append());
        return AppendItems(list->value_builder(), nulls);
      }
      case arrow::Type::LARGE_LIST: {
        auto* list = static_cast<arrow::LargeListBuilder*>(builder);
        Check(list->Append());
        return AppendItems(list->value_builder(), nulls);
      }
      default: {
        auto* row = static_cast<arrow::StructBuilder*>(builder);
        Check(row->Append());
        return Append(row->field_builder(0), nulls);
      }
    }
  }

  void AppendItems(arrow::ArrayBuilder* items, double nulls) {
    for (uint64_t count = Below(5); count > 0; --count) {
      Append(items, nulls);
    }
  }

  std::mt19937_64 random_;
  uint64_t domain_ = 3;
  bool long_ = Chance(0.3);
};

TEST(PageEncoder, RoundTripsRandomNestedColumns) {
  const char* given = std::getenv("GLAIVE_TEST_SEED");
  const uint64_t base = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261121;
  for (uint64_t i = 0; i < 300; ++i) {
    SCOPED_TRACE("GLAIVE_TEST_SEED=" + std::to_string(base) + " case " + std::to_string(i));
    Generator generator(base * 1000 + i);
    const auto type = generator.Type(3);
    const double nulls = i % 3 == 0 ? 0 : i % 3 == 1 ? 0.15 : 0.7;
    const auto length = static_cast<int64_t>(1 + generator.Below(i % 10 == 0 ? 6000 : 300));
    const auto array = generator.Make(type, length, nulls);
    const auto start = static_cast<int64_t>(generator.Below(static_cast<uint64_t>(length)));
    RoundTrip({array, array->Slice(start)}, i % 2 == 0 ? 2 : 1);
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

TEST(PageEncoder, RoundTripsEverySizeAndNullPattern) {
  const std::vector<TypePtr> types = {arrow::boolean(),
                                      arrow::uint8(),
                                      arrow::int32(),
                                      arrow::int64(),
                                      arrow::utf8(),
                                      arrow::list(arrow::int32()),
                                      arrow::fixed_size_list(arrow::float32(), 4)};
  Generator generator(7);
  for (const auto& type : types) {
    for (int64_t size : {1, 7, 1023, 1024, 1025, 20000}) {
      for (double nulls : {0.0, 0.2, 1.0}) {
        SCOPED_TRACE(type->ToString() + " x " + std::to_string(size));
        const auto source =
            type->id() == arrow::Type::UINT8
                ? generator.Make(arrow::int8(), size, nulls)->View(type).ValueOrDie()
                : generator.Make(type, size, nulls);
        RoundTrip({source}, 1);
        RoundTrip({source}, 2);
        ASSERT_FALSE(testing::Test::HasFailure());
      }
    }
  }
}

TEST(PageEncoder, NoRowsNoPages) {
  EXPECT_TRUE(Encode({Json(arrow::int32(), "[]")}, 2).ValueOrDie().empty());
}

ArrayPtr Strings(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

TEST(PageEncoder, ChoosesByData) {
  arrow::Int64Builder negative;
  arrow::Int32Builder runs;
  arrow::Int32Builder noise;
  std::vector<std::string> text;
  std::vector<std::string> colours;
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(negative.Append(i % 7 - 3).ok());
    ASSERT_TRUE(runs.Append(i / 300).ok());
    ASSERT_TRUE(noise.Append(static_cast<int32_t>(random())).ok());
    text.push_back("document number " + std::to_string(random() % 1000000) + " of the collection");
    colours.push_back(i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue");
  }
  const auto described = [](const ArrayPtr& array) { return RoundTrip({array}, 2); };
  EXPECT_NE(described(negative.Finish().ValueOrDie()).find("dict[7]"), std::string::npos);
  EXPECT_NE(described(runs.Finish().ValueOrDie()).find("rle"), std::string::npos);
  EXPECT_NE(described(noise.Finish().ValueOrDie()).find("flat"), std::string::npos);
  EXPECT_NE(described(Strings(text)).find("fsst"), std::string::npos);
  EXPECT_NE(described(Strings(colours)).find("dict[3]"), std::string::npos);
}

TEST(PageEncoder, ObeysCompressionKeys) {
  std::vector<std::string> text;
  arrow::DoubleBuilder numbers;
  for (int i = 0; i < 5000; ++i) {
    text.push_back("entry " + std::to_string(i * 7919 % 100003) + " says nothing new");
    ASSERT_TRUE(numbers.Append(i * 0.25 + i % 13).ok());
  }
  const auto strings = Strings(text);
  const auto doubles = numbers.Finish().ValueOrDie();
  for (const std::string scheme : {"lz4", "zstd", "fsst", "none"}) {
    const Metadata metadata = {{"lance-encoding:compression", scheme}};
    for (uint16_t version : {1, 2}) {
      const auto description = RoundTrip({strings}, version, metadata);
      RoundTrip({doubles}, version, metadata);
      if (scheme != "none") {
        EXPECT_NE(description.find(scheme), std::string::npos) << description;
      }
    }
  }
  RoundTrip({doubles}, 2, {{"lance-encoding:compression", "zstd"}, {"lance-encoding:bss", "on"}});
}

TEST(PageEncoder, LongValues) {
  const auto big = std::string(1000000, 'x');
  RoundTrip({Strings({"", big, "a", "", big + "y"})}, 1);
  RoundTrip({Strings({"", big, "a", "", big + "y"})}, 2);
  const Metadata mini = {{"lance-encoding:structural-encoding", "miniblock"}};
  RoundTrip({Strings({"", big, "a", "", big + "y"})}, 1, mini);
  RoundTrip({Strings({"", big, "a", "", big + "y"})}, 2, mini);
}

ArrayPtr IntLists(const std::vector<int>& lengths) {
  auto values = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (int length : lengths) {
    EXPECT_TRUE(length < 0 ? builder.AppendNull().ok() : builder.Append().ok());
    for (int i = 0; i < length; ++i) {
      EXPECT_TRUE(values->Append(i * 31 % 1000).ok());
    }
  }
  return builder.Finish().ValueOrDie();
}

TEST(PageEncoder, HostileLists) {
  std::vector<int> one_huge = {3, 0, 100000, -1, 2};
  std::vector<int> null_tail(70000, -1);
  null_tail[0] = 3;
  std::vector<int> null_head(70000, -1);
  null_head.back() = 3;
  const std::vector<int> all_empty(5000, 0);
  for (uint16_t version : {1, 2}) {
    RoundTrip({IntLists(one_huge)}, version);
    RoundTrip({IntLists(null_tail)}, version);
    RoundTrip({IntLists(null_head)}, version);
    RoundTrip({IntLists(all_empty)}, version);
    RoundTrip({IntLists({100000})}, version);
  }
}

TEST(PageEncoder, OneRowOfManyEmptyLists) {
  auto values = std::make_shared<arrow::Int32Builder>();
  auto inner = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(), values);
  arrow::ListBuilder outer(arrow::default_memory_pool(), inner);
  ASSERT_TRUE(outer.Append().ok());
  for (int i = 0; i < 100000; ++i) {
    ASSERT_TRUE(inner->Append().ok());
    if (i == 50 || i == 99000) {
      ASSERT_TRUE(values->Append(i).ok());
    }
  }
  const auto array = outer.Finish().ValueOrDie();
  RoundTrip({array}, 1);
  RoundTrip({array}, 2);
}

TEST(PageEncoder, Dictionaries) {
  for (const auto& index : {arrow::int8(), arrow::uint16(), arrow::int32(), arrow::int64()}) {
    const auto indices = Json(index, "[0, 1, null, 2, 1, 0, 2, 2]");
    const auto type = arrow::dictionary(index, arrow::utf8());
    const auto array =
        arrow::DictionaryArray::FromArrays(type, indices, Json(arrow::utf8(), R"(["a", "bb", ""])"))
            .ValueOrDie();
    RoundTrip({array}, 1);
    RoundTrip({array->Slice(1, 5)}, 2);
  }
}

TEST(PageEncoder, NullItemsLeaveTheDictionary) {
  // Two items and a null fit into one bit.
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  arrow::Int8Builder keys;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE((i % 7 == 0 ? keys.AppendNull() : keys.Append(static_cast<int8_t>(i % 5))).ok());
  }
  const ArrayPtr indices = *keys.Finish();
  const auto items = Json(arrow::utf8(), R"([null, "a", null, null, "b", "unused", null])");
  const ArrayPtr array = *arrow::DictionaryArray::FromArrays(type, indices, items);
  for (const uint16_t version : {1, 2}) {
    const auto pages = Encode({array}, version).ValueOrDie();
    ASSERT_EQ(pages.size(), 1u);
    const OpenedPage page(pages[0], LeafOf(type, LeafKind::kPrimitive, {}), version);
    EXPECT_NE(page.Describe().find("dict[3]"), std::string::npos) << page.Describe();
    const auto got = page.Read({{0, 3000}}).ValueOrDie();
    const auto& found = static_cast<const arrow::DictionaryArray&>(*got);
    const auto& names = static_cast<const arrow::StringArray&>(*found.dictionary());
    for (int i = 0; i < 3000; ++i) {
      const bool valid = i % 7 != 0 && (i % 5 == 1 || i % 5 == 4);
      ASSERT_EQ(found.IsValid(i), valid) << i;
      if (valid) {
        ASSERT_EQ(names.GetView(found.GetValueIndex(i)), i % 5 == 1 ? "a" : "b");
      }
    }
  }
  const auto nothing = *arrow::DictionaryArray::FromArrays(
      type, indices, Json(arrow::utf8(), "[null, null, null, null, null]"));
  const OpenedPage page(EncodeOne(nothing), LeafOf(type, LeafKind::kPrimitive, {}), 2);
  const auto found = page.Read({{0, 3000}}).ValueOrDie();
  EXPECT_EQ(static_cast<const arrow::DictionaryArray&>(*found).indices()->null_count(), 3000);
}

TEST(PageEncoder, LongRunsShareAChunk) {
  const auto equal = arrow::MakeArrayFromScalar(arrow::Int64Scalar(42), 3000).ValueOrDie();
  EXPECT_NE(RoundTrip({equal}, 1).find("rle(flat64, flat8), 1 chunk"), std::string::npos);
  arrow::Int64Builder mixed;  // short runs, then long ones
  for (int64_t i = 0; i < 30000; ++i) {
    ASSERT_TRUE(mixed.Append(i < 15000 ? i / 2 * 0x123456789 : i / 999).ok());
  }
  const ArrayPtr values = *mixed.Finish();
  for (const uint16_t version : {1, 2}) {
    RoundTrip({values}, version, {{"lance-encoding:dict-divisor", "1000000"}});
  }
}

/// `nulls` null lists before, between or behind 1,000 lists of three.
ArrayPtr ListsAndNulls(int64_t before, int64_t between, int64_t behind) {
  auto values = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), values);
  EXPECT_TRUE(lists.AppendNulls(before).ok());
  for (int i = 0; i < 1000; ++i) {
    if (i == 500) {
      EXPECT_TRUE(lists.AppendNulls(between).ok());
    }
    EXPECT_TRUE(lists.Append().ok());
    EXPECT_TRUE(values->AppendValues({i, i * i, -i}).ok());
  }
  EXPECT_TRUE(lists.AppendNulls(behind).ok());
  return *lists.Finish();
}

TEST(PageEncoder, LongStretchesOfNullLists) {
  constexpr int64_t kMany = 200'000;
  for (const auto& array : {ListsAndNulls(0, 0, kMany), ListsAndNulls(kMany, 0, 0),
                            ListsAndNulls(0, kMany, 0), ListsAndNulls(kMany, kMany, kMany)}) {
    for (const uint16_t version : {1, 2}) {
      RoundTrip({array}, version);
    }
    int64_t bytes = 0;
    for (const auto& page : Encode({array}, 1).ValueOrDie()) {
      for (const auto& buffer : page.buffers) {
        bytes += buffer->size();
      }
    }
    // Levels of 61,000 nulls per stretch cost a quarter of a byte, the others four.
    const int64_t stretches = array->null_count() / kMany;
    EXPECT_LT(bytes, stretches * ((kMany - 60'000) * 4 + 60'000 / 4) + 30'000);
  }
}

TEST(PageEncoder, PackedStructs) {
  const auto fixed = arrow::struct_({field("a", arrow::int32()), field("b", arrow::float64())});
  const auto variable = arrow::struct_({field("a", arrow::int32()), field("b", arrow::utf8())});
  const auto rows = R"([{"a": 1, "b": 2}, null, {"a": 3, "b": 4}])";
  const auto texts = R"([{"a": 1, "b": "x"}, null, {"a": 3, "b": ""}])";
  RoundTrip({Json(fixed, rows)}, 1, {}, LeafKind::kPackedStruct);
  RoundTrip({Json(fixed, rows)}, 2, {}, LeafKind::kPackedStruct);
  RoundTrip({Json(variable, texts)}, 2, {}, LeafKind::kPackedStruct);
  EXPECT_FALSE(Encode({Json(variable, texts)}, 1, {}, LeafKind::kPackedStruct).ok());
  EXPECT_FALSE(
      Encode({Json(fixed, R"([{"a": null, "b": 2}])")}, 2, {}, LeafKind::kPackedStruct).ok());
}

TEST(PageEncoder, FixedSizeListsOfStructs) {
  const auto item = arrow::struct_({field("a", arrow::int32())});
  const auto array =
      Json(arrow::fixed_size_list(item, 2),
           R"([[{"a": 1}, null], null, [{"a": null}, {"a": 2}], [{"a": 3}, {"a": 4}]])");
  const auto page = EncodeOne(array);
  EXPECT_EQ(page.num_rows, 8u);
  RoundTrip({array}, 2);
}

TEST(PageEncoder, BlobDescriptorsCarryLevels) {
  const auto type =
      arrow::struct_({field("position", arrow::uint64()), field("size", arrow::uint64())});
  const auto array =
      Json(type, R"([{"position": 0, "size": 200}, null, {"position": 0, "size": 0}])");
  const auto page = Encode({array}, 1, {}, LeafKind::kBlobV1).ValueOrDie().at(0);
  EXPECT_EQ(LayoutOf(page), "221d0a180a161a0d620b0a02404012050a0308800132010138014803120103");
  EXPECT_EQ(HexOf(*page.buffers[1]).substr(16),
            "0000000000000000c800000000000000"
            "00000100000000000000000000000000"
            "00000000000000000000000000000000");
  RoundTrip({array}, 1, {}, LeafKind::kBlobV1);
}

}  // namespace

}  // namespace glaive::encoding
