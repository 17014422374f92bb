#include "file/container.h"

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/file.pb.h"

namespace glaive::file {
namespace {

using ::testing::HasSubstr;

std::string FromHex(std::string_view hex) {
  std::string out;
  int high = -1;
  for (const char c : hex) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) {
      continue;
    }
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      out.push_back(static_cast<char>(high * 16 + static_cast<int>(digit)));
      high = -1;
    }
  }
  return out;
}

// A complete file of the real writer: version 2.2, one column c of int32 [1, 2, 3, 4, 5], not null.
const char kChunkWords[] = "30000000";
const char kChunk[] = "00001400 0000fefe 01000000 02000000 03000000 04000000 05000000 fefefefe";
const char kLayout[] = "0a0f 1a04 0a02 0820 3201 01 3801 4805 5001";

std::string GoldenFile() {
  std::string bytes =
      FromHex(kChunkWords) + std::string(60, 'H') + FromHex(kChunk) + std::string(32, 'H');
  bytes += FromHex("0a190a171201632 0ffffffffffffffffff012a05696e7433323801 1005");
  bytes += FromHex("0a2912270a250a1f") + "/lance.encodings.ColumnEncoding" + FromHex("12020a00");
  bytes += FromHex("12420a020040120204201805223612340a320a1d") + "/lance.encodings21.PageLayout" +
           FromHex("1211") + FromHex(kLayout);
  bytes += FromHex("9d000000000000006f00000000000000 80000000000000001d00000000000000");
  bytes +=
      FromHex("9d00000000000000 0c01000000000000 1c01000000000000 01000000 01000000 0200 0200") +
      "LANC";
  return bytes;
}

Schema OneColumn() {
  return Schema::FromArrow(*arrow::schema({arrow::field("c", arrow::int32(), false)})).ValueOrDie();
}

class ContainerTest : public ::testing::Test {
 protected:
  std::shared_ptr<io::ObjectStore> store_ = io::OpenMemoryStore().ValueOrDie();

  arrow::Result<Container> Parse(std::string_view bytes) {
    ARROW_RETURN_NOT_OK(store_->Put("f.lance", bytes));
    ARROW_ASSIGN_OR_RAISE(const auto object, store_->Open("f.lance"));
    return ReadContainer(*object);
  }
};

TEST_F(ContainerTest, ReadsAFileOfTheRealWriter) {
  const auto golden = GoldenFile();
  ASSERT_EQ(golden.size(), 340u);
  const auto container = Parse(golden).ValueOrDie();
  EXPECT_EQ(container.version, kVersion22);
  EXPECT_EQ(container.num_rows, 5u);
  EXPECT_EQ(container.schema, OneColumn());
  EXPECT_EQ(container.metadata_bytes, 340u - 0x80);
  ASSERT_EQ(container.columns.size(), 1u);
  ASSERT_EQ(container.columns[0].pages.size(), 1u);
  const auto& page = container.columns[0].pages[0];
  EXPECT_EQ(page.num_rows, 5u);
  ASSERT_EQ(page.buffers.size(), 2u);
  EXPECT_EQ(page.buffers[1].offset, 64u);
  EXPECT_EQ(page.buffers[1].length, 32u);
  EXPECT_EQ(page.encoding, WrapAny("/lance.encodings21.PageLayout", FromHex(kLayout)));
}

TEST_F(ContainerTest, WritesTheBytesOfTheRealWriter) {
  ContainerWriter writer(store_->Create("w.lance").ValueOrDie(), kVersion22, 1);
  PageInfo page;
  for (const char* hex : {kChunkWords, kChunk}) {
    page.buffers.push_back(
        writer.WriteBuffer(arrow::Buffer::FromString(FromHex(hex))).ValueOrDie());
  }
  page.num_rows = 5;
  page.encoding = WrapAny("/lance.encodings21.PageLayout", FromHex(kLayout));
  writer.AddPage(0, std::move(page));
  EXPECT_EQ(writer.Finish(OneColumn(), 5).ValueOrDie(), 340u);
  EXPECT_EQ(store_->Get("w.lance").ValueOrDie()->ToString(), GoldenFile());
}

TEST_F(ContainerTest, Version20HasItsOwnPairInTheFooter) {
  ContainerWriter writer(store_->Create("w.lance").ValueOrDie(), kVersion20, 0);
  ASSERT_TRUE(writer.Finish(Schema(), 0).ok());
  const auto bytes = store_->Get("w.lance").ValueOrDie()->ToString();
  EXPECT_EQ(bytes.substr(bytes.size() - 8), FromHex("00000300") + "LANC");
  EXPECT_EQ(Parse(bytes).ValueOrDie().version, kVersion20);
}

TEST_F(ContainerTest, GapsBetweenRegionsAreTolerated) {
  std::string bytes = GoldenFile();
  bytes.insert(0x9d, std::string(7, '\0'));
  const size_t footer = bytes.size() - 40;
  for (const size_t at : {footer, footer + 8, footer + 16, footer - 32}) {
    StoreLe<uint64_t>(bytes.data() + at, LoadLe<uint64_t>(bytes.data() + at) + 7);
  }
  EXPECT_EQ(Parse(bytes).ValueOrDie().columns[0].pages.size(), 1u);
}

TEST_F(ContainerTest, EveryTruncationIsCorruption) {
  const auto golden = GoldenFile();
  for (size_t length = 0; length < golden.size(); ++length) {
    const auto front = Parse(golden.substr(0, length));
    EXPECT_EQ(ErrorCodeOf(front.status()), ErrorCode::kCorruption) << length;
  }
}

TEST_F(ContainerTest, FlippedBitsNeverCrash) {
  const auto golden = GoldenFile();
  for (size_t at = 0x80; at < golden.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = golden;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const auto container = Parse(bytes);
      if (!container.ok()) {
        const auto code = ErrorCodeOf(container.status());
        EXPECT_TRUE(code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported)
            << container.status();
      }
    }
  }
}

TEST_F(ContainerTest, ForgedCountsAreBoundedByTheBytesThatAreThere) {
  const auto golden = GoldenFile();
  const size_t footer = golden.size() - 40;
  const auto forged = [&](size_t at, auto value) {
    std::string bytes = golden;
    StoreLe(bytes.data() + at, value);
    return Parse(bytes).status();
  };
  EXPECT_EQ(ErrorCodeOf(forged(footer + 24, uint32_t{0xffffffff})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer + 24, uint32_t{0})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer + 28, uint32_t{0xffffffff})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer + 28, uint32_t{1000000})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer + 8, ~uint64_t{0})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer + 16, ~uint64_t{7})), ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(forged(footer - 8, ~uint64_t{0})),
            ErrorCode::kCorruption);  // schema length
  EXPECT_EQ(ErrorCodeOf(forged(footer - 16, uint64_t{0x81})),
            ErrorCode::kCorruption);  // not aligned
  EXPECT_EQ(ErrorCodeOf(forged(footer - 24, ~uint64_t{0})),
            ErrorCode::kCorruption);  // column length
}

TEST_F(ContainerTest, VersionsAreNamed) {
  const auto with_version = [&](uint16_t major, uint16_t minor) {
    std::string bytes = GoldenFile();
    StoreLe(bytes.data() + bytes.size() - 8, major);
    StoreLe(bytes.data() + bytes.size() - 6, minor);
    return Parse(bytes);
  };
  EXPECT_EQ(with_version(0, 3).ValueOrDie().version, kVersion20);
  EXPECT_EQ(with_version(2, 0).ValueOrDie().version, kVersion20);
  EXPECT_EQ(with_version(2, 3).ValueOrDie().version, (FileVersion{2, 3}));
  const auto legacy = with_version(0, 2).status();
  EXPECT_EQ(ErrorCodeOf(legacy), ErrorCode::kUnsupported);
  EXPECT_THAT(legacy.message(), HasSubstr("0.2"));
  EXPECT_EQ(ErrorCodeOf(with_version(2, 4).status()), ErrorCode::kUnsupported);
  EXPECT_EQ(ErrorCodeOf(with_version(3, 0).status()), ErrorCode::kUnsupported);
}

TEST_F(ContainerTest, PageChecks) {
  const auto with_page = [&](auto change) {
    lance::file::ColumnMetadata column;
    const auto golden = GoldenFile();
    EXPECT_TRUE(column.ParseFromArray(golden.data() + 0x9d, 0x6f));
    change(&column);
    std::string bytes = golden.substr(0, 0x9d) + column.SerializeAsString();
    const uint64_t length = bytes.size() - 0x9d;
    const uint64_t table = bytes.size();
    bytes += golden.substr(golden.size() - 72);
    const size_t footer = bytes.size() - 40;
    StoreLe(bytes.data() + footer - 24, length);
    StoreLe(bytes.data() + footer + 8, table);
    StoreLe(bytes.data() + footer + 16, table + 16);
    return ErrorCodeOf(Parse(bytes).status());
  };
  using Column = lance::file::ColumnMetadata;
  EXPECT_EQ(with_page([](Column*) {}), ErrorCode::kOk);
  EXPECT_EQ(with_page([](Column* c) { c->clear_encoding(); }), ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->clear_encoding(); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->mutable_encoding()->mutable_none(); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(
      with_page([](Column* c) { c->mutable_pages(0)->mutable_encoding()->mutable_indirect(); }),
      ErrorCode::kUnsupported);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->set_buffer_offsets(1, 72); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->set_buffer_offsets(1, ~uint64_t{63}); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->set_buffer_sizes(1, ~uint64_t{0}); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) { c->mutable_pages(0)->add_buffer_sizes(1); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(with_page([](Column* c) {
              *c->add_pages() = c->pages(0);
              c->mutable_pages(0)->set_length(~uint64_t{0});
            }),
            ErrorCode::kCorruption);
}

}  // namespace
}  // namespace glaive::file
