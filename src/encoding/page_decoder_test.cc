// Pages as the real writer made them, decoded whole, in ranges, and after damage.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "encoding/layout.h"
#include "encoding/page.h"
#include "proto/file.pb.h"

namespace glaive::encoding {
namespace {

using arrow::field;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '|') {
      continue;
    }
    digits += c;
    if (digits.size() == 2) {
      bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
      digits.clear();
    }
  }
  return bytes;
}

std::string Repeat(std::string_view hex, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) {
    text += hex;
  }
  return text;
}

std::string InAny(std::string_view layout) {
  ::lance::file::Any any;
  any.set_type_url("/lance.encodings21.PageLayout");
  any.set_value(std::string(layout));
  return any.SerializeAsString();
}

// A page and what it holds.
struct Sample {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string layout;  // bytes of the PageLayout
  std::vector<std::string> buffers;
  uint64_t length = 0;
  std::string json;
  uint16_t minor = 2;
  LeafKind kind = LeafKind::kPrimitive;
};

Buffers Fetch(const Sample& page, const std::vector<BufferRange>& needs) {
  Buffers fetched;
  for (const auto& need : needs) {
    // What is asked for lies within the buffers, or the decoder trusted a number too much.
    EXPECT_LT(need.buffer, page.buffers.size());
    EXPECT_LE(need.offset, page.buffers[need.buffer].size());
    EXPECT_LE(need.length, page.buffers[need.buffer].size() - need.offset);
    fetched.push_back(
        arrow::Buffer::FromString(page.buffers[need.buffer].substr(need.offset, need.length)));
  }
  return fetched;
}

arrow::Result<std::unique_ptr<PageDecoder>> OpenSample(const Sample& page) {
  auto leaf = std::make_shared<LeafDescriptor>();
  leaf->kind = page.kind;
  leaf->path_type = page.type;
  leaf->name = page.name;
  PageDescriptor descriptor;
  descriptor.num_rows = page.length;
  descriptor.version_minor = page.minor;
  const std::string encoding = InAny(page.layout);
  descriptor.encoding = encoding;
  for (const auto& buffer : page.buffers) {
    descriptor.buffer_sizes.push_back(buffer.size());
  }
  ARROW_ASSIGN_OR_RAISE(auto decoder, PageDecoder::Open(leaf, descriptor));
  ARROW_RETURN_NOT_OK(decoder->LoadIndex(Fetch(page, decoder->IndexNeeds())));
  return decoder;
}

arrow::Result<std::shared_ptr<arrow::Array>> DecodeRows(const Sample& page,
                                                        const PageDecoder& decoder,
                                                        const RowRanges& rows) {
  const Buffers row_index = Fetch(page, decoder.RowIndexNeeds(rows));
  ARROW_ASSIGN_OR_RAISE(const auto needs, decoder.DataNeeds(rows, row_index));
  return decoder.Decode(rows, row_index, Fetch(page, needs), arrow::default_memory_pool());
}

// Everything that one can ask of a page.
arrow::Status Exercise(const Sample& page) {
  ARROW_ASSIGN_OR_RAISE(auto decoder, OpenSample(page));
  EXPECT_FALSE(decoder->Describe().empty());
  const uint64_t rows = decoder->num_rows();
  if (rows == 0 || rows > 1'000'000) {
    return arrow::Status::OK();
  }
  const RowRanges all{{0, rows}};
  const Buffers row_index = Fetch(page, decoder->RowIndexNeeds(all));
  ARROW_ASSIGN_OR_RAISE(const auto needs, decoder->DataNeeds(all, row_index));
  ARROW_RETURN_NOT_OK(decoder->Verify(row_index, Fetch(page, needs)));
  ARROW_ASSIGN_OR_RAISE(auto last, DecodeRows(page, *decoder, {{rows - 1, rows}}));
  return last->Validate();
}

std::vector<Sample> Samples() {
  const auto i32 = arrow::int32();
  const auto utf8 = arrow::utf8();
  std::vector<Sample> samples;
  const auto add = [&](std::string name, std::shared_ptr<arrow::DataType> type,
                       std::string_view layout, const std::vector<std::string>& buffers,
                       uint64_t length, std::string json, uint16_t minor = 2,
                       LeafKind kind = LeafKind::kPrimitive) {
    Sample sample{std::move(name), std::move(type), FromHex(layout), {},
                  length,          std::move(json), minor,           kind};
    for (const auto& buffer : buffers) {
      sample.buffers.push_back(FromHex(buffer));
    }
    samples.push_back(std::move(sample));
  };
  add("flat", i32, "0a 0f 1a 04 0a 02 08 20 32 01 01 38 01 48 05 50 01",
      {"30 00 00 00",
       "00 00 14 00 00 00 fe fe 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00 05 00 00 00 fe fe "
       "fe fe"},
      5, "[1, 2, 3, 4, 5]");
  add("flat 2.1", i32, "0a 0d 1a 04 0a 02 08 20 32 01 01 38 01 48 05",
      {"30 00",
       "00 00 14 00 fe fe fe fe 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00 05 00 00 00 fe fe "
       "fe fe"},
      5, "[1, 2, 3, 4, 5]", 1);
  add("nullable", i32, "0a 15 12 04 0a 02 08 10 1a 04 0a 02 08 20 32 01 03 38 01 48 05 50 01",
      {"50 00 00 00",
       "05 00 0a 00 14 00 00 00 | 00 00 01 00 00 00 01 00 00 00 | fe fe fe fe fe fe | 01 00 00 00 "
       "00 00 00 00"
       " 03 00 00 00 00 00 00 00 05 00 00 00 fe fe fe fe"},
      5, "[1, null, 3, null, 5]");
  add("list", arrow::list(i32),
      "0a 1e 0a 04 0a 02 08 10 12 04 0a 02 08 10 1a 04 0a 02 08 20 32 02 03 06 38 01 40 01 48 04 "
      "50 01",
      {"70 00 00 00",
       "06 00 0c 00 0c 00 10 00 00 00 fe fe fe fe fe fe 01 00 00 00 01 00 01 00 01 00 00 00 fe fe "
       "fe fe"
       "00 00 00 00 02 00 03 00 00 00 01 00 fe fe fe fe 01 00 00 00 02 00 00 00 03 00 00 00 00 00 "
       "00 00",
       "04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"},
      4, "[[1, 2], null, [], [3, null]]");
  add("string", utf8,
      "0a 19 12 04 0a 02 08 10 1a 08 12 06 0a 04 0a 02 08 20 32 01 03 38 01 48 04 50 01",
      {"50 00 00 00",
       "04 00 08 00 1c 00 00 00 | 00 00 01 00 00 00 00 00 | 14 00 00 00 15 00 00 00 15 00 00 00 15 "
       "00 00 00"
       "19 00 00 00 61 64 64 64 64 48 48 48 | fe fe fe fe"},
      4, R"(["a", null, "", "dddd"])");
  add("struct of rle", arrow::struct_({field("a", i32)}),
      "0a 20 12 04 0a 02 08 10 1a 0e 42 0c 0a 04 0a 02 08 20 12 04 0a 02 08 08 32 02 03 03 38 02 "
      "48 04 50 01",
      {"50 00 00 00",
       "04 00 08 00 0c 00 00 00 03 00 00 00 fe fe fe fe | 00 00 02 00 01 00 00 00 | 01 00 00 00 00 "
       "00 00 00"
       "04 00 00 00 fe fe fe fe | 01 02 01 fe fe fe fe fe"},
      4, R"([{"a": 1}, null, {"a": null}, {"a": 4}])");
  add("constant", i32, "12 09 2a 01 01 32 04 07 00 00 00", {}, 3, "[7, 7, 7]");
  add("constant with nulls", i32, "12 09 2a 01 03 32 04 07 00 00 00",
      {"", "0000 0100 0000 0000 0100 0000 0000 0100 0000 0000"}, 10,
      "[7, null, 7, 7, null, 7, 7, null, 7, 7]");
  add("constant string", utf8, "12 03 2a 01 01",
      {"02 00 00 00 08 00 00 00 05 00 00 00 | 00 00 00 00 05 00 00 00 | 68 65 6c 6c 6f"}, 2,
      R"(["hello", "hello"])");
  add("constant of 40 bytes", arrow::fixed_size_binary(40), "12 03 2a 01 01",
      {"01 00 00 00 28 00 00 00" + Repeat("61", 40)}, 1, "[\"" + std::string(40, 'a') + "\"]");
  add("lists without items", arrow::list(i32),
      "12 1e 2a 02 01 06 3a 0e 42 0c 0a 04 0a 02 08 10 12 04 0a 02 08 08 42 04 0a 02 08 10 48 0a "
      "50 0a",
      {"02 00 00 00 00 00 00 00 01 00 0a",
       "02 00 01 00 02 00 01 00 02 00 01 00 02 00 01 00 02 00 01 00"},
      10, "[[], null, [], null, [], null, [], null, [], null]");
  add("null", arrow::null(), "12 03 2a 01 03", {}, 2, "[null, null]");
  add("full-zip fixed", i32, "1a 11 10 01 18 20 28 04 30 04 3a 04 0a 02 08 20 42 01 03",
      {"00 00 00 00 00 | 00 01 00 00 00 | 01 00 00 00 00 | 00 03 00 00 00"}, 4, "[0, 1, null, 3]");
  add("full-zip string", utf8,
      "1a 15 10 01 20 20 28 04 30 04 3a 08 12 06 0a 04 0a 02 08 20 42 01 03",
      {"00 04 00 00 00 61 62 63 30 | 00 04 00 00 00 61 62 63 31 | 01 | 00 04 00 00 00 61 62 63 33",
       "00 00 09 00 12 00 13 00 1c 00"},
      4, R"(["abc0", "abc1", null, "abc3"])");
  add("full-zip list", arrow::list(utf8),
      "1a 18 08 01 10 02 20 20 28 05 30 03 3a 08 12 06 0a 04 0a 02 08 20 42 02 01 06",
      {"06 | 05 | 04 01 00 00 00 61 | 00 02 00 00 00 62 63 | 04 00 00 00 00", "00 01 02 0f 14"}, 4,
      R"([[], null, ["a", "bc"], [""]])");
  add("packed rows of variable width", arrow::struct_({field("a", i32), field("s", utf8)}),
      "1a 25 20 20 28 01 30 01 3a 1a 6a 18 0a 08 0a 04 0a 02 08 20 10 20 0a 0c 0a 08 12 06 0a 04 "
      "0a 02 08"
      "20 18 20 42 01 01",
      {"0c 00 00 00 00 00 00 00 04 00 00 00 73 74 72 30", "00 10"}, 1, R"([{"a": 0, "s": "str0"}])",
      2, LeafKind::kPackedStruct);
  add("slots of fixed-size lists",
      arrow::fixed_size_list(field("item", arrow::struct_({field("a", i32)})), 2),
      "0a 21 12 04 0a 02 08 10 1a 0e 42 0c 0a 04 0a 02 08 20 12 04 0a 02 08 08 32 03 03 03 03 38 "
      "02 48 08"
      "50 01",
      {"70 00 00 00",
       "08 00 10 00 14 00 00 00 05 00 00 00 fe fe fe fe 00 00 00 00 03 00 03 00 02 00 01 00 00 00 "
       "00 00"
       "01 00 00 00 02 00 00 00 00 00 00 00 05 00 00 00 06 00 00 00 fe fe fe fe 01 01 04 01 01 fe "
       "fe fe"},
      8, R"([[{"a": 1}, {"a": 2}], null, [null, {"a": null}], [{"a": 5}, {"a": 6}]])");
  add("vectors whose items are null", arrow::fixed_size_list(i32, 2),
      "1a 17 10 01 18 08 28 02 30 02 3a 0a 5a 08 08 02 12 02 1a 00 18 01 42 01 03", {"00 00 01 00"},
      2, "[[null, null], null]");
  add("empty structs", arrow::struct_({field("x", arrow::struct_({}))}), "12 03 2a 01 03", {}, 2,
      R"([{"x": {}}, {"x": {}}])");
  add("dictionary of strings", arrow::dictionary(arrow::int8(), utf8),
      "0a 21 12 04 0a 02 08 10 1a 04 0a 02 08 08 22 08 12 06 0a 04 0a 02 08 20 28 03 32 01 03 38 "
      "01 48 04"
      "50 01",
      {"20 00 00 00", "04 00 08 00 04 00 00 00 00 00 00 00 01 00 00 00 02 01 ff 00 fe fe fe fe",
       "20 00 00 00 18 00 00 00 00 00 00 00 03 00 00 00 07 00 00 00 0c 00 00 00 72 65 64 62 6c 75 "
       "65 67 72"
       "65 65 6e"},
      4, R"(["green", "blue", null, "red"])");
  add("blob descriptors",
      arrow::struct_({field("position", arrow::uint64()), field("size", arrow::uint64())}),
      "22 1d 0a 18 0a 16 1a 0d 62 0b 0a 02 40 40 12 05 0a 03 08 80 01 32 01 01 38 01 48 04 12 01 "
      "03",
      {"80 00",
       "00 00 40 00 fe fe fe fe | 00 00 00 00 00 00 00 00 c8 00 00 00 00 00 00 00 | 00 01 00 00 00 "
       "00 00 00"
       "c9 00 00 00 00 00 00 00 | 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 | 00 00 00 00 00 "
       "00 00 00"
       "00 00 00 00 00 00 00 00"},
      4,
      R"([{"position": 0, "size": 200}, {"position": 256, "size": 201}, null, {"position": 0, "size": 0}])",
      1, LeafKind::kBlobV1);
  return samples;
}

TEST(PageDecoderTest, DecodesPagesOfTheRealWriter) {
  for (const auto& page : Samples()) {
    SCOPED_TRACE(page.name);
    auto decoder = OpenSample(page);
    ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
    const uint64_t rows = (*decoder)->num_rows();
    auto array = DecodeRows(page, **decoder, {{0, rows}});
    ASSERT_TRUE(array.ok()) << array.status().ToString();
    ASSERT_TRUE((*array)->ValidateFull().ok()) << (*array)->ValidateFull().ToString();
    EXPECT_TRUE((*array)->type()->Equals(*page.type)) << (*array)->type()->ToString();
    if (page.type->id() == arrow::Type::DICTIONARY) {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(**array);
      EXPECT_EQ(dictionary.GetValueIndex(0), 2);
      EXPECT_EQ(dictionary.GetValueIndex(3), 0);
      EXPECT_TRUE(dictionary.IsNull(2));
    } else {
      auto expected = arrow::json::ArrayFromJSONString(page.type, page.json);
      ASSERT_TRUE(expected.ok()) << expected.status().ToString();
      EXPECT_TRUE((*array)->Equals(**expected)) << (*array)->ToString();
    }
    EXPECT_TRUE(Exercise(page).ok());
    // Every range of rows, and every second row.
    for (uint64_t from = 0; from < rows; ++from) {
      for (uint64_t to = from + 1; to <= rows; ++to) {
        auto part = DecodeRows(page, **decoder, {{from, to}});
        ASSERT_TRUE(part.ok()) << part.status().ToString();
        EXPECT_TRUE((*part)->Equals(
            (*array)->Slice(static_cast<int64_t>(from), static_cast<int64_t>(to - from))));
      }
    }
    RowRanges alternate;
    arrow::ArrayVector slices;
    for (uint64_t row = 0; row < rows; row += 2) {
      alternate.push_back({row, row + 1});
      slices.push_back((*array)->Slice(static_cast<int64_t>(row), 1));
    }
    auto picked = DecodeRows(page, **decoder, alternate);
    ASSERT_TRUE(picked.ok()) << picked.status().ToString();
    EXPECT_TRUE((*picked)->Equals(*arrow::Concatenate(slices).ValueOrDie()));
  }
}

TEST(PageDecoderTest, TruncatedPagesAreErrorsOrValues) {
  for (const auto& page : Samples()) {
    SCOPED_TRACE(page.name);
    for (size_t buffer = 0; buffer < page.buffers.size(); ++buffer) {
      for (size_t size = 0; size < page.buffers[buffer].size(); ++size) {
        Sample cut = page;
        cut.buffers[buffer].resize(size);
        (void)Exercise(cut);
      }
    }
    for (size_t size = 0; size < page.layout.size(); ++size) {
      Sample cut = page;
      cut.layout.resize(size);
      (void)Exercise(cut);
    }
  }
}

TEST(PageDecoderTest, DamagedPagesAreErrorsOrValues) {
  std::mt19937 random(7);
  for (const auto& page : Samples()) {
    SCOPED_TRACE(page.name);
    for (int round = 0; round < 3000; ++round) {
      Sample damaged = page;
      const int flips = 1 + static_cast<int>(random() % 3);
      for (int i = 0; i < flips; ++i) {
        std::string* target = &damaged.layout;
        if (!damaged.buffers.empty() && random() % 3 != 0) {
          target = &damaged.buffers[random() % damaged.buffers.size()];
        }
        if (!target->empty()) {
          (*target)[random() % target->size()] = static_cast<char>(random());
        }
      }
      (void)Exercise(damaged);
    }
  }
}

TEST(PageDecoderTest, NamesWhatItDoesNotKnow) {
  Sample sparse{"sparse", arrow::int32(), FromHex("2a 00"), {}, 1, "", 3};
  const auto status = OpenSample(sparse).status();
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported);
  EXPECT_NE(status.message().find("sparse"), std::string::npos) << status.ToString();
}

TEST(PageDecoderTest, AsksOnlyForTheRowsOfAVector) {
  // full-zip{bits_per_value 64, 4 items, fsl2(flat32)}, layers [1]
  Sample page{"vectors",
              arrow::fixed_size_list(arrow::int32(), 2),
              FromHex("1a 13 18 40 28 04 30 04 3a 08 5a 06 08 02 12 02 0a 00 42 01 01"),
              {},
              4,
              ""};
  page.layout = FromHex("1a 15 18 40 28 04 30 04 3a 0a 5a 08 08 02 12 04 0a 02 08 20 42 01 01");
  for (int i = 0; i < 8; ++i) {
    page.buffers.resize(1);
    page.buffers[0] += std::string{static_cast<char>(i), 0, 0, 0};
  }
  auto decoder = OpenSample(page);
  ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
  const RowRanges rows{{1, 2}, {3, 4}};
  EXPECT_TRUE((*decoder)->RowIndexNeeds(rows).empty());
  const auto needs = (*decoder)->DataNeeds(rows, {}).ValueOrDie();
  ASSERT_EQ(needs.size(), 2u);
  EXPECT_EQ(needs[0].offset, 8u);
  EXPECT_EQ(needs[1].offset, 24u);
  EXPECT_EQ(needs[1].length, 8u);
  auto data = Fetch(page, {{0, 8, 16}});
  auto array = (*decoder)->Decode({{1, 3}}, {}, data, arrow::default_memory_pool()).ValueOrDie();
  // Values are those of the buffer that was handed in.
  const auto& list = static_cast<const arrow::FixedSizeListArray&>(*array);
  EXPECT_EQ(list.values()->data()->buffers[1]->data(), data[0]->data());
}

TEST(PageDecoderTest, BrokenTextIsRefusedQuietly) {
  ::testing::internal::CaptureStderr();
  const auto layout = ParseLayout("\x0a\x01\xff", 1);  // a type URL that is not UTF-8
  EXPECT_EQ(ErrorCodeOf(layout.status()), ErrorCode::kCorruption);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace glaive::encoding
