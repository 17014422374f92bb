// Pages of file version 2.0: bytes as the real writer makes them, and there and back again.
#include <algorithm>
#include <iterator>
#include <random>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

#include "encoding/v20_array_decoder.h"
#include "encoding/v20_array_encoder.h"
#include "proto/encodings_v2_0.pb.h"
#include "proto/file.pb.h"

namespace glaive::encoding {
namespace {

std::string FromHex(std::string_view hex) {
  std::string digits;
  std::copy_if(hex.begin(), hex.end(), std::back_inserter(digits), [](char c) { return c != ' '; });
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::string Wrapped(const std::string& encoding) {
  lance::file::Any any;
  any.set_type_url("/lance.encodings.ArrayEncoding");
  any.set_value(encoding);
  return any.SerializeAsString();
}

EncodedPage PageOf(uint64_t rows, const std::string& encoding,
                   const std::vector<std::string>& buffers) {
  EncodedPage page;
  page.num_rows = rows;
  page.encoding = Wrapped(FromHex(encoding));
  for (const auto& buffer : buffers) {
    page.buffers.push_back(arrow::Buffer::FromString(FromHex(buffer)));
  }
  return page;
}

PageDescriptor Describe(const EncodedPage& page) {
  PageDescriptor out;
  out.num_rows = page.num_rows;
  out.encoding = page.encoding;
  for (const auto& buffer : page.buffers) {
    out.buffer_sizes.push_back(static_cast<uint64_t>(buffer->size()));
  }
  return out;
}

Buffers Fetch(const EncodedPage& page, const std::vector<BufferRange>& needs) {
  Buffers out;
  for (const auto& need : needs) {
    // An own allocation: a read beyond it is seen by the sanitizer.
    out.push_back(arrow::SliceBuffer(page.buffers[need.buffer], static_cast<int64_t>(need.offset),
                                     static_cast<int64_t>(need.length))
                      ->CopySlice(0, static_cast<int64_t>(need.length))
                      .ValueOrDie());
  }
  return out;
}

std::shared_ptr<LeafDescriptor> Leaf(std::shared_ptr<arrow::DataType> type) {
  auto leaf = std::make_shared<LeafDescriptor>();
  leaf->path_type = std::move(type);
  leaf->name = "c";
  return leaf;
}

arrow::Result<std::shared_ptr<arrow::Array>> Decode(const EncodedPage& page,
                                                    std::shared_ptr<const LeafDescriptor> leaf,
                                                    const RowRanges& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto decoder, V20PageDecoder::Open(std::move(leaf), Describe(page)));
  if (!decoder->index_loaded()) {
    ARROW_RETURN_NOT_OK(decoder->LoadIndex(Fetch(page, decoder->IndexNeeds())));
  }
  const auto row_index = Fetch(page, decoder->RowIndexNeeds(rows));
  ARROW_ASSIGN_OR_RAISE(const auto needs, decoder->DataNeeds(rows, row_index));
  return decoder->Decode(rows, row_index, Fetch(page, needs), nullptr);
}

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

struct Golden {
  std::shared_ptr<arrow::DataType> type;
  const char* json;
  const char* encoding;
  std::vector<std::string> buffers;
};

std::vector<Golden> Goldens() {
  const std::string kIndices =
      "0100000000000000 0700000000000000 0100000000000000 0500000000000000";
  return {
      {arrow::int32(),
       "[1, 2, 3, 4, 5]",
       "120a0a080a060a0408201200",
       {"0100000002000000030000000400000005000000"}},
      {arrow::int32(),
       "[1, null, 3]",
       "121412120a060a040801120012080a06082012020801",
       {"05", "010000000000000003000000"}},
      {arrow::utf8(),
       R"(["a", null, "", "dddd"])",
       "321a0a0c120a0a080a060a040840120012080a060808120208011806",
       {kIndices, "6164646464"}},
      {arrow::null(), "[null, null]", "12021a00", {}},
      {arrow::fixed_size_list(arrow::boolean(), 2),
       "[[true, null], null, [false, true]]",
       "122a12280a060a0408011200121e1a1c08021218121612140a080a0608011202080112080a06080112020802",
       {"05", "31", "21"}},
      {arrow::dictionary(arrow::int8(), arrow::utf8()),
       R"(["u", null, "v"])",
       "3a300a0c120a0a080a060a0408081200121e321c0a0e120c0a0a0a080a0608401202080112080a0608081202080"
       "21803"
       "1803",
       {"000201", "0100000000000000 0200000000000000 0500000000000000", "7576"}},
  };
}

TEST(V20Array, ReadsTheRealWritersBytes) {
  for (const auto& golden : Goldens()) {
    SCOPED_TRACE(golden.type->ToString());
    const auto expected = FromJson(golden.type, golden.json);
    const auto rows = static_cast<uint64_t>(expected->length());
    const auto page = PageOf(rows, golden.encoding, golden.buffers);
    const auto got = Decode(page, Leaf(golden.type), {{0, rows}});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE((*got)->ValidateFull().ok());
    EXPECT_EQ((*got)->ToString(), expected->ToString());
  }
}

TEST(V20Array, WritesTheRealWritersEncodings) {
  for (const auto& golden : Goldens()) {
    SCOPED_TRACE(golden.type->ToString());
    const auto array = FromJson(golden.type, golden.json);
    const auto pages =
        MakeV20PageEncoder(Leaf(golden.type)).ValueOrDie()->Encode({array}, nullptr).ValueOrDie();
    ASSERT_EQ(pages.size(), 1u);
    EXPECT_EQ(pages[0].encoding, Wrapped(FromHex(golden.encoding)));
    ASSERT_EQ(pages[0].buffers.size(), golden.buffers.size());
    for (size_t i = 0; i < golden.buffers.size(); ++i) {
      if (array->null_count() == 0 || golden.type->id() != arrow::Type::FIXED_SIZE_LIST) {
        EXPECT_EQ(pages[0].buffers[i]->ToString(), FromHex(golden.buffers[i])) << i;
      }
    }
  }
}

TEST(V20Array, ListsOfTheRealWriter) {
  const auto page = PageOf(4, "22120a0c120a0a080a060a040840120010051804",
                           {"0200000000000000 0700000000000000 0200000000000000 0400000000000000"});
  const auto list = V20ListPage::Open(Describe(page), "c").ValueOrDie();
  EXPECT_EQ(list->num_items(), 4u);
  V20Lists lists;
  const RowRanges rows{{1, 4}};
  ASSERT_TRUE(list->Decode(rows, Fetch(page, list->DataNeeds(rows)), 10,
                           arrow::default_memory_pool(), &lists)
                  .ok());
  EXPECT_EQ(lists.lengths, (std::vector<uint64_t>{0, 0, 2}));
  EXPECT_EQ(lists.valid, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(lists.items, (RowRanges{{12, 14}}));
  const auto again =
      EncodeV20Lists({2, 0, 0, 2}, {true, false, true, true}, arrow::default_memory_pool())
          .ValueOrDie();
  EXPECT_EQ(again.encoding, page.encoding);
  EXPECT_TRUE(again.buffers[0]->Equals(*page.buffers[0]));
}

TEST(V20Array, NullListsThatOwnItems) {
  // [0, 1, 2], null over items 3 to 5, [6, 7, 8, 9], as the real writer keeps them.
  const auto page = PageOf(3, "22120a0c120a0a080a060a0408401200100b180a",
                           {"0300000000000000 1100000000000000 0a00000000000000"});
  const auto list = V20ListPage::Open(Describe(page), "c").ValueOrDie();
  V20Lists lists;
  const RowRanges rows{{0, 3}};
  ASSERT_TRUE(list->Decode(rows, Fetch(page, list->DataNeeds(rows)), 0,
                           arrow::default_memory_pool(), &lists)
                  .ok());
  EXPECT_EQ(lists.lengths, (std::vector<uint64_t>{3, 0, 4}));
  EXPECT_EQ(lists.items, (RowRanges{{0, 3}, {6, 10}}));
}

EncodedPage FromMessage(uint64_t rows, const lance::encodings::ArrayEncoding& encoding,
                        const std::string& buffer) {
  EncodedPage page;
  page.num_rows = rows;
  page.encoding = Wrapped(encoding.SerializeAsString());
  page.buffers = {arrow::Buffer::FromString(buffer)};
  return page;
}

TEST(V20Array, ReadsOldBitPacking) {
  lance::encodings::ArrayEncoding encoding;
  encoding.mutable_bitpacked()->set_compressed_bits_per_value(3);
  encoding.mutable_bitpacked()->set_uncompressed_bits_per_value(32);
  encoding.mutable_bitpacked()->mutable_buffer();
  // 1, 2, 3, 7, 5 in three bits each, the lowest first.
  const auto page = FromMessage(5, encoding, FromHex("d15e"));
  EXPECT_EQ(Decode(page, Leaf(arrow::uint32()), {{0, 1}, {2, 5}}).ValueOrDie()->ToString(),
            FromJson(arrow::uint32(), "[1, 3, 7, 5]")->ToString());
  encoding.mutable_bitpacked()->set_signed_(true);
  const auto signed_page = FromMessage(5, encoding, FromHex("d15e"));
  EXPECT_EQ(Decode(signed_page, Leaf(arrow::int32()), {{0, 5}}).ValueOrDie()->ToString(),
            FromJson(arrow::int32(), "[1, 2, 3, -1, -3]")->ToString());
}

TEST(V20Array, ReadsConstantsAndEqualLengths) {
  lance::encodings::ArrayEncoding encoding;
  encoding.mutable_constant()->set_value(FromHex("07000000"));
  EXPECT_EQ(
      Decode(FromMessage(9, encoding, ""), Leaf(arrow::int32()), {{3, 5}}).ValueOrDie()->ToString(),
      FromJson(arrow::int32(), "[7, 7]")->ToString());
  encoding.mutable_fixed_size_binary()->set_byte_width(2);
  auto* bytes = encoding.mutable_fixed_size_binary()->mutable_bytes()->mutable_flat();
  bytes->set_bits_per_value(8);
  bytes->mutable_buffer();
  EXPECT_EQ(Decode(FromMessage(3, encoding, "aabbcc"), Leaf(arrow::utf8()), {{1, 3}})
                .ValueOrDie()
                ->ToString(),
            FromJson(arrow::utf8(), R"(["bb", "cc"])")->ToString());
}

TEST(V20Array, RefusesDraftsByName) {
  lance::encodings::ArrayEncoding encoding;
  encoding.mutable_rle();
  const auto got = Decode(FromMessage(1, encoding, "x"), Leaf(arrow::int32()), {{0, 1}});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(ErrorCodeOf(got.status()), ErrorCode::kUnsupported);
  EXPECT_NE(got.status().message().find("rle"), std::string::npos) << got.status();
}

TEST(V20Array, SurvivesBrokenPages) {
  std::mt19937 random(20);
  for (const auto& golden : Goldens()) {
    SCOPED_TRACE(golden.type->ToString());
    const auto rows = static_cast<uint64_t>(FromJson(golden.type, golden.json)->length());
    for (int round = 0; round < 2000; ++round) {
      auto encoding = FromHex(golden.encoding);
      encoding[random() % encoding.size()] ^= static_cast<char>(1u << (random() % 8));
      EncodedPage page = PageOf(rows, "", golden.buffers);
      page.encoding = Wrapped(encoding);
      for (auto& buffer : page.buffers) {
        std::string bytes = buffer->ToString();
        if (random() % 2 == 0 && !bytes.empty()) {
          bytes[random() % bytes.size()] ^= static_cast<char>(1u << (random() % 8));
        }
        if (random() % 4 == 0) {
          bytes.resize(random() % (bytes.size() + 1));
        }
        buffer = arrow::Buffer::FromString(std::move(bytes));
      }
      page.num_rows = random() % 8 == 0 ? random() % 100 + 1 : rows;
      const auto got = Decode(page, Leaf(golden.type), {{0, page.num_rows}});
      if (got.ok() && golden.type->id() != arrow::Type::STRING) {
        EXPECT_TRUE((*got)->ValidateFull().ok()) << (*got)->ValidateFull();
      } else if (got.ok()) {
        EXPECT_TRUE((*got)->Validate().ok());
      }
    }
  }
}

}  // namespace
}  // namespace glaive::encoding
