#include "table/manifest.h"

#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/random.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

lance::table::Manifest Sample() {
  lance::table::Manifest pb;
  TwoColumns().ToProto(pb.mutable_fields());
  *pb.add_fragments() = NewFragment("a.lance", 3);
  pb.set_version(1);
  pb.set_max_fragment_id(0);
  return pb;
}

std::string Serialized(lance::table::Manifest pb) {
  auto transaction = CreateTransaction({NewFragment("a.lance", 3)});
  return Must(SerializeManifest(&pb, {}, &transaction));
}

arrow::Result<std::shared_ptr<const Manifest>> Parsed(const std::string& bytes) {
  return ParseManifest(*arrow::Buffer::FromString(bytes), "m");
}

TEST(ManifestNames, BothSchemes) {
  EXPECT_EQ(ManifestName(1, ManifestNaming::kV2), "18446744073709551614.manifest");
  EXPECT_EQ(ManifestName(12, ManifestNaming::kV1), "12.manifest");
  for (const auto naming : {ManifestNaming::kV1, ManifestNaming::kV2}) {
    for (const uint64_t version :
         {uint64_t{1}, uint64_t{9}, uint64_t{123456789}, (uint64_t{1} << 63) - 1}) {
      const auto parsed = ParseManifestName(ManifestName(version, naming));
      ASSERT_TRUE(parsed.has_value());
      EXPECT_EQ(parsed->version, version);
      EXPECT_EQ(parsed->naming, naming);
    }
  }
  for (const char* name :
       {"d9223372036854775809.manifest", ".tmp_1.manifest", "1.manifest.tmp", "manifest",
        ".manifest", "-1.manifest", "01.manifest", "x.manifest", "99999999999999999999.manifest",
        "latest_version_hint.json", "9223372036854775809.manifest"}) {
    EXPECT_FALSE(ParseManifestName(name).has_value()) << name;
  }
}

TEST(ManifestFile, BytesFollowTheGoldenRules) {
  const std::string bytes = Serialized(Sample());
  ASSERT_TRUE(bytes.ends_with("LANC"));
  const auto position = LoadLe<uint64_t>(bytes.data() + bytes.size() - 16);
  const auto length = LoadLe<uint32_t>(bytes.data() + position);
  EXPECT_EQ(length, bytes.size() - 16 - (position + 4));
  EXPECT_EQ(LoadLe<uint16_t>(bytes.data() + bytes.size() - 8), 0);
  EXPECT_EQ(LoadLe<uint16_t>(bytes.data() + bytes.size() - 6), 2);
  EXPECT_EQ(LoadLe<uint32_t>(bytes.data()) + 4, position);  // the transaction comes first
  const std::string message = bytes.substr(position + 4, length);
  // max_fragment_id and transaction_section are there though they are 0.
  EXPECT_NE(message.find(std::string("\x58\x00", 2)), std::string::npos);
  EXPECT_TRUE(message.ends_with(std::string("\xa8\x01\x00", 3)));
  // parent_id -1 of a top-level column takes ten bytes.
  EXPECT_NE(message.find("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), std::string::npos);
}

TEST(ManifestFile, SectionsAreReadBack) {
  auto pb = Sample();
  lance::table::IndexMetadata index;
  index.set_name("by_id");
  index.add_fields(0);
  index.mutable_uuid()->set_uuid(std::string(16, 'u'));
  auto transaction = AppendTransaction(0, "a.lance", 3);
  const std::string bytes = Must(SerializeManifest(&pb, {index}, &transaction));
  auto manifest = Must(Parsed(bytes));
  ASSERT_EQ(manifest->indices.size(), 1u);
  EXPECT_EQ(manifest->indices[0].name(), "by_id");
  EXPECT_TRUE(manifest->pb.has_index_section());
  EXPECT_EQ(manifest->pb.index_section(), 0u);
  EXPECT_GT(manifest->pb.transaction_section(), 0u);
  ASSERT_TRUE(manifest->transaction.has_value());
  EXPECT_EQ(manifest->transaction->uuid(), transaction.uuid());
  EXPECT_EQ(manifest->schema, TwoColumns());
  EXPECT_EQ(manifest->file_bytes, bytes.size());
}

TEST(ManifestFile, UnknownFieldsSurvive) {
  // Field 100 of a fragment and field 200 of the manifest, which no one has defined.
  auto pb = Sample();
  ASSERT_TRUE(pb.mutable_fragments(0)->ParseFromString(pb.fragments(0).SerializeAsString() +
                                                       "\xa0\x06\x07"));
  ASSERT_TRUE(pb.ParseFromString(pb.SerializeAsString() + "\xc0\x0c\x05"));
  auto manifest = Must(Parsed(Serialized(pb)));
  auto next = manifest->pb;
  const std::string again = Serialized(next);
  EXPECT_NE(again.find("\xa0\x06\x07"), std::string::npos);
  EXPECT_NE(again.find("\xc0\x0c\x05"), std::string::npos);
}

TEST(ManifestFile, UnknownReaderFlagsAreRefusedByName) {
  for (const uint64_t flag : {kFlagDataOverlays, uint64_t{512}, uint64_t{1024}}) {
    auto pb = Sample();
    pb.set_reader_feature_flags(flag | kFlagDeletionFiles);
    const auto refused = Parsed(Serialized(pb));
    EXPECT_EQ(CodeOf(refused), ErrorCode::kUnsupported);
    EXPECT_NE(refused.status().message().find(std::to_string(flag)), std::string::npos);
  }
  auto pb = Sample();
  pb.set_reader_feature_flags(kFlagMixedFileVersions | kFlagV2Format);
  pb.set_writer_feature_flags(1024);
  EXPECT_EQ(CodeOf(Parsed(Serialized(pb))), ErrorCode::kOk);
}

TEST(ManifestFile, BrokenInvariantsAreCorruption) {
  const auto code_after = [](const std::function<void(lance::table::Manifest*)>& change) {
    auto pb = Sample();
    change(&pb);
    return CodeOf(Parsed(Serialized(pb)));
  };
  EXPECT_EQ(code_after([](auto* pb) { *pb->add_fragments() = pb->fragments(0); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(code_after([](auto* pb) {
              *pb->mutable_fragments(0)->add_files() = pb->fragments(0).files(0);
            }),
            ErrorCode::kCorruption);
  EXPECT_EQ(code_after([](auto* pb) {
              pb->mutable_fragments(0)->mutable_files(0)->clear_column_indices();
            }),
            ErrorCode::kCorruption);
  EXPECT_EQ(
      code_after([](auto* pb) { pb->mutable_fragments(0)->mutable_files(0)->set_path("../../x"); }),
      ErrorCode::kCorruption);
  EXPECT_EQ(code_after([](auto* pb) { pb->mutable_fragments(0)->set_id(uint64_t{1} << 32); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(code_after([](auto* pb) { pb->mutable_fields(0)->clear_parent_id(); }),
            ErrorCode::kCorruption);
  EXPECT_EQ(code_after([](auto* pb) {
              pb->mutable_fragments(0)->mutable_deletion_file()->set_num_deleted_rows(4);
            }),
            ErrorCode::kCorruption);
}

TEST(ManifestFile, EveryTruncationIsRefused) {
  const std::string bytes = Serialized(Sample());
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_NE(CodeOf(Parsed(bytes.substr(0, length))), ErrorCode::kOk) << length;
    ASSERT_NE(CodeOf(Parsed(bytes.substr(bytes.size() - length))), ErrorCode::kOk) << length;
  }
  EXPECT_NE(CodeOf(Parsed(bytes + "LANC")), ErrorCode::kOk);
}

TEST(ManifestFile, MutatedBytesNeverCrash) {
  SeedRandomForTest(3);
  const std::string good = Serialized(Sample());
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (uint64_t flips = RandomU64() % 4 + 1; flips > 0; --flips) {
      bytes[RandomU64() % bytes.size()] = static_cast<char>(RandomU64());
    }
    auto manifest = Parsed(bytes);
    if (manifest.ok()) {
      (*manifest)->schema.ToArrow().status().ok();
    }
  }
}

}  // namespace
}  // namespace glaive::table
