#include <gtest/gtest.h>

#include "maintain/compact.h"
#include "maintain/tiers.h"
#include "table/bitmap.h"
#include "table/fixture.h"

namespace glaive::maintain {
namespace {

using lance::table::DataFragment;
using table::Must;

using Groups = std::vector<std::vector<uint64_t>>;

/// A snapshot of fragments with so many rows, ids from 0.
class PlanTest : public ::testing::Test {
 protected:
  void Add(uint64_t rows, uint64_t deleted = 0, uint64_t bytes = 1000) {
    DataFragment fragment = table::NewFragment("f", rows);
    fragment.set_id(fragments_.size());
    fragment.mutable_files(0)->set_file_size_bytes(bytes);
    if (deleted > 0) {
      fragment.mutable_deletion_file()->set_num_deleted_rows(deleted);
      fragment.mutable_deletion_file()->set_id(1);
    }
    fragments_.push_back(std::move(fragment));
  }

  void AddIndex(const std::string& name, const std::vector<uint32_t>& covered) {
    lance::table::IndexMetadata index;
    index.set_name(name);
    table::Bitmap bitmap;
    for (const uint32_t id : covered) {
      bitmap.Add(id);
    }
    if (!covered.empty()) {
      index.set_fragment_bitmap(bitmap.Serialize());
    }
    indices_.push_back(std::move(index));
  }

  std::shared_ptr<const table::Snapshot> Snapshot() const {
    auto manifest = std::make_shared<table::Manifest>();
    for (const auto& fragment : fragments_) {
      *manifest->mutable_pb()->add_fragments() = fragment;
    }
    manifest->mutable_pb()->set_version(7);
    manifest->mutable_pb()->set_reader_feature_flags(stable_ ? table::kFlagStableRowIds : 0);
    manifest->indices = indices_;
    manifest->schema = table::TwoColumns();
    auto versions = table::NewVersions(Must(io::OpenMemoryStore()));
    return Must(table::Snapshot::Make(versions.store(), versions.session(), manifest));
  }

  Groups Plan() const { return IdsOf(PlanCompaction(*Snapshot(), options_)); }

  Groups Tiers() const { return IdsOf(PlanTiers(*Snapshot(), upkeep_)); }

  static Groups IdsOf(const std::vector<CompactionGroup>& groups) {
    Groups ids;
    for (const auto& group : groups) {
      ids.push_back(group.fragment_ids);
    }
    return ids;
  }

  std::vector<DataFragment> fragments_;
  std::vector<lance::table::IndexMetadata> indices_;
  bool stable_ = false;
  OptimizeOptions options_;
  UpkeepOptions upkeep_;
};

TEST_F(PlanTest, AdjacentSmallFragmentsGoTogether) {
  options_.target_rows_per_fragment = 100;
  Add(10);
  Add(20);
  Add(100);  // full
  Add(5);    // alone
  Add(500);
  Add(7);
  Add(8);
  EXPECT_EQ(Plan(), (Groups{{0, 1}, {5, 6}}));
}

TEST_F(PlanTest, GroupsEndAtTheTarget) {
  options_.target_rows_per_fragment = 100;
  for (int i = 0; i < 7; ++i) {
    Add(40);
  }
  EXPECT_EQ(Plan(), (Groups{{0, 1, 2}, {3, 4, 5}}));
}

TEST_F(PlanTest, BytesBoundGroupsAsWell) {
  options_.max_bytes_per_fragment = 1000;
  Add(1, 0, 600);
  Add(1, 0, 600);
  Add(1, 0, 2000);  // full
  Add(1, 0, 10);
  Add(1, 0, 10);
  EXPECT_EQ(Plan(), (Groups{{0, 1}, {3, 4}}));
}

TEST_F(PlanTest, DeletionsBeyondTheThresholdAreMaterialized) {
  options_.target_rows_per_fragment = 100;
  Add(1000, 100);  // not more than a tenth
  Add(1000, 101);
  Add(1000);
  EXPECT_EQ(Plan(), (Groups{{1}}));
}

TEST_F(PlanTest, CoveredFragmentsStayWithoutStableRowIds) {
  for (int i = 0; i < 6; ++i) {
    Add(1);
  }
  AddIndex("by_id", {0, 1, 2});
  EXPECT_EQ(Plan(), (Groups{{3, 4, 5}}));
  AddIndex("unknown coverage", {});
  EXPECT_TRUE(Plan().empty());
}

TEST_F(PlanTest, FragmentsOfAReuseIndexStay) {
  Add(1);
  Add(1);
  AddIndex("__lance_frag_reuse", {7});
  EXPECT_TRUE(Plan().empty());
}

TEST_F(PlanTest, GroupsHaveOneCoverageWithStableRowIds) {
  stable_ = true;
  for (int i = 0; i < 6; ++i) {
    Add(1);
  }
  AddIndex("by_id", {0, 1, 2});
  AddIndex("by_text", {0, 1});
  EXPECT_EQ(Plan(), (Groups{{0, 1}, {3, 4, 5}}));
}

TEST_F(PlanTest, TiersWaitForManySmallFragments) {
  for (int i = 0; i < 32; ++i) {
    Add(1);
  }
  EXPECT_TRUE(Tiers().empty());
  Add(1);
  ASSERT_EQ(Tiers().size(), 1u);
  EXPECT_EQ(Tiers()[0].size(), 33u);
}

TEST_F(PlanTest, TiersMergeSimilarSizes) {
  Add(1000);
  Add(20);
  for (int i = 0; i < 32; ++i) {
    Add(1);
  }
  ASSERT_EQ(Tiers().size(), 1u);
  // Neither the large one, nor the one of 20, which costs more than it saves.
  EXPECT_EQ(Tiers()[0].front(), 2u);
  EXPECT_EQ(Tiers()[0].size(), 32u);
}

TEST_F(PlanTest, TiersRewriteWhatIsMostlyDeleted) {
  Add(20000, 12000);
  Add(20000, 5000);
  EXPECT_EQ(Tiers(), (Groups{{0}}));
}

// One row at a time, forever: what is rewritten grows with the logarithm.
TEST_F(PlanTest, TiersAmplifyByTheLogarithm) {
  uint64_t rewritten = 0;
  uint64_t rounds = 0;
  size_t most = 0;
  constexpr uint64_t kRows = 3000;
  for (uint64_t row = 0; row < kRows; ++row) {
    Add(1);
    for (size_t i = 0; i < fragments_.size(); ++i) {
      fragments_[i].set_id(i);
    }
    const auto groups = PlanTiers(*Snapshot(), upkeep_);
    for (const auto& group : groups) {
      ++rounds;
      rewritten += group.num_rows;
      const auto first = static_cast<int64_t>(group.fragment_ids.front());
      fragments_.erase(
          fragments_.begin() + first,
          fragments_.begin() + first + static_cast<int64_t>(group.fragment_ids.size()));
      Add(group.num_rows);
    }
    most = std::max(most, fragments_.size());
  }
  EXPECT_LT(rewritten, 6 * kRows);
  EXPECT_LT(rounds, kRows / 12);
  EXPECT_LE(most, 50u);
}

}  // namespace
}  // namespace glaive::maintain
