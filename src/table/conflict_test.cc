#include <array>
#include <string_view>

#include "table/bitmap.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

using lance::table::Transaction;

// The operations in the order of rows and columns below.
constexpr std::array<std::string_view, 15> kNames = {"Append",       "Delete",
                                                     "Overwrite",    "CreateIndex",
                                                     "Rewrite",      "Merge",
                                                     "Restore",      "Reserve",
                                                     "Update",       "Project",
                                                     "UpdateConfig", "DataReplacement",
                                                     "Clone",        "UpdateMemWalState",
                                                     "UpdateBases"};

lance::table::DataFragment FragmentWithDeletions(uint64_t id) {
  auto fragment = NewFragment("f" + std::to_string(id) + ".lance", 10);
  fragment.set_id(id);
  fragment.mutable_deletion_file()->set_num_deleted_rows(1);
  return fragment;
}

lance::table::IndexMetadata IndexOver(uint64_t fragment, const std::string& name) {
  lance::table::IndexMetadata index;
  index.set_name(name);
  index.mutable_uuid()->set_uuid(std::string(15, 'i') + static_cast<char>('a' + fragment));
  index.add_fields(1);
  Bitmap bitmap;
  bitmap.Add(static_cast<uint32_t>(fragment));
  index.set_fragment_bitmap(bitmap.Serialize());
  return index;
}

void SetEntry(Transaction::UpdateMap* map, const std::string& key) {
  auto* entry = map->add_update_entries();
  entry->set_key(key);
  entry->set_value("v");
}

// An operation that works on fragment `at`, index or key of that name, and so on.
Transaction Sample(size_t operation, uint64_t at) {
  auto transaction = NewTransaction(1);
  const std::string key = "k" + std::to_string(at);
  switch (operation) {
    case 0:
      *transaction.mutable_append()->add_fragments() = NewFragment("new.lance", 5);
      break;
    case 1:
      *transaction.mutable_delete_()->add_updated_fragments() = FragmentWithDeletions(at);
      break;
    case 2:
      (*transaction.mutable_overwrite()->mutable_config_upsert_values())[key] = "v";
      break;
    case 3:
      *transaction.mutable_create_index()->add_new_indices() = IndexOver(at, key);
      break;
    case 4: {
      auto* group = transaction.mutable_rewrite()->add_groups();
      *group->add_old_fragments() = FragmentWithDeletions(at);
      *group->add_new_fragments() = FragmentWithDeletions(at + 100);
      break;
    }
    case 5:
      *transaction.mutable_merge()->add_fragments() = FragmentWithDeletions(at);
      break;
    case 6:
      transaction.mutable_restore()->set_version(1);
      break;
    case 7:
      transaction.mutable_reserve_fragments()->set_num_fragments(2);
      break;
    case 8:
      *transaction.mutable_update()->add_updated_fragments() = FragmentWithDeletions(at);
      transaction.mutable_update()->add_fields_modified(1);
      break;
    case 9:
      TwoColumns().ToProto(transaction.mutable_project()->mutable_schema());
      break;
    case 10:
      SetEntry(transaction.mutable_update_config()->mutable_config_updates(), key);
      break;
    case 11: {
      auto* group = transaction.mutable_data_replacement()->add_replacements();
      group->set_fragment_id(at);
      *group->mutable_new_file() = NewFragment("r.lance", 10).files(0);
      break;
    }
    case 12:
      transaction.mutable_clone()->set_is_shallow(true);
      break;
    case 13:
      transaction.mutable_update_mem_wal_state();
      break;
    default: {
      auto* base = transaction.mutable_update_bases()->add_new_bases();
      base->set_id(static_cast<uint32_t>(at));
      base->set_path("/base/" + key);
    }
  }
  return transaction;
}

char Letter(Conflict conflict) {
  switch (conflict) {
    case Conflict::kNone:
      return '.';
    case Conflict::kRetryable:
      return 'R';
    case Conflict::kIncompatible:
      return 'X';
    case Conflict::kRebase:
      return 'B';
  }
  return '?';
}

void ExpectMatrix(const std::array<std::string_view, 15>& expected, uint64_t theirs_at) {
  for (size_t ours = 0; ours < kNames.size(); ++ours) {
    for (size_t theirs = 0; theirs < kNames.size(); ++theirs) {
      const char found = Letter(CheckConflict(Sample(ours, 1), Sample(theirs, theirs_at)));
      EXPECT_EQ(found, expected[ours][theirs]) << kNames[ours] << " against " << kNames[theirs];
    }
  }
}

TEST(Conflict, WhenBothTouchTheSame) {
  ExpectMatrix(
      {
          // A D O C R M R R U P U D C M U
          "..X..RX......X.",  // Append
          ".BX.RRX.B..R.X.",  // Delete
          "..R.......X..X.",  // Overwrite
          "..XRR.X.R..R.R.",  // CreateIndex
          ".RXRRRX.R..R...",  // Rewrite
          "RRX.RRX.RX.R.X.",  // Merge
          ".............X.",  // Restore
          "..X...X........",  // Reserve
          ".BX.RRX.B..R.R.",  // Update
          "R.X..RX.RR...X.",  // Project
          "..X.......X....",  // UpdateConfig
          "..XRRRX.R..R.X.",  // DataReplacement
          "...............",  // Clone
          "RRXRRRXRRRRRRRR",  // UpdateMemWalState
          "..............X",  // UpdateBases
      },
      1);
}

TEST(Conflict, WhenTheyTouchSomethingElse) {
  ExpectMatrix(
      {
          "..X..RX......X.",  // Append
          "..X..RX......X.",  // Delete
          "..R..........X.",  // Overwrite
          "..X...X......R.",  // CreateIndex
          "..X..RX........",  // Rewrite
          "RRX.RRX.RX.R.X.",  // Merge
          ".............X.",  // Restore
          "..X...X........",  // Reserve
          "..X..RX......R.",  // Update
          "R.X..RX.RR...X.",  // Project
          "...............",  // UpdateConfig
          "..X..RX......X.",  // DataReplacement
          "...............",  // Clone
          "RRXRRRXRRRRRRRR",  // UpdateMemWalState
          "...............",  // UpdateBases
      },
      2);
}

TEST(Conflict, UnknownOperationsNeverPass) {
  Transaction nothing = NewTransaction(1);
  Transaction overlay = NewTransaction(1);
  overlay.mutable_data_overlay();
  for (size_t operation = 0; operation < kNames.size(); ++operation) {
    EXPECT_EQ(CheckConflict(Sample(operation, 1), nothing), Conflict::kRetryable);
    EXPECT_EQ(CheckConflict(Sample(operation, 1), overlay), Conflict::kRetryable);
    EXPECT_EQ(CheckConflict(nothing, Sample(operation, 1)), Conflict::kIncompatible);
  }
}

TEST(Conflict, DeletesRebaseOnlyOverDeletionVectors) {
  Transaction ours = Sample(1, 1);
  Transaction theirs = Sample(1, 1);
  theirs.mutable_delete_()->mutable_updated_fragments(0)->mutable_files(0)->set_path("other.lance");
  EXPECT_EQ(CheckConflict(ours, theirs), Conflict::kRetryable);
  theirs = NewTransaction(1);
  theirs.mutable_delete_()->add_deleted_fragment_ids(1);
  EXPECT_EQ(CheckConflict(ours, theirs), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(theirs, ours), Conflict::kRetryable);
}

TEST(Conflict, MergeThatKeepsNullabilityAllowsAppends) {
  Transaction merge = Sample(5, 1);
  merge.mutable_merge()->set_preserves_nullability(true);
  EXPECT_EQ(CheckConflict(Sample(0, 1), merge), Conflict::kNone);
}

TEST(Conflict, ColumnsMadeNonNullableAreCheckedAgainstNewRows) {
  Transaction project = Sample(9, 1);
  EXPECT_EQ(CheckConflict(project, Sample(0, 2)), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(project, Sample(8, 2)), Conflict::kRetryable);
  project.mutable_project()->set_preserves_nullability(true);
  EXPECT_EQ(CheckConflict(project, Sample(0, 2)), Conflict::kNone);
  EXPECT_EQ(CheckConflict(project, Sample(8, 2)), Conflict::kNone);
}

TEST(Conflict, KeysAreDeclaredOverTheRowsThatThereAre) {
  Transaction key = NewTransaction(1);
  SetEntry(&(*key.mutable_update_config()->mutable_field_metadata_updates())[0],
           kPrimaryKeyPosition);
  EXPECT_EQ(CheckConflict(key, Sample(0, 2)), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(key, Sample(8, 2)), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(key, Sample(1, 2)), Conflict::kNone);
  EXPECT_EQ(CheckConflict(Sample(0, 2), key), Conflict::kNone);
  SetEntry(key.mutable_update_config()->mutable_config_updates(), kPrimaryKeyEnforced);
  EXPECT_EQ(CheckConflict(Sample(0, 2), key), Conflict::kIncompatible);
  EXPECT_EQ(CheckConflict(Sample(8, 2), key), Conflict::kIncompatible);
}

TEST(Conflict, InsertedKeys) {
  const auto with_keys = [](uint64_t fragment, std::initializer_list<uint64_t> hashes) {
    Transaction transaction = Sample(8, fragment);
    auto* filter = transaction.mutable_update()->mutable_inserted_rows();
    filter->add_field_ids(0);
    for (const uint64_t hash : hashes) {
      filter->mutable_exact()->add_key_hashes(hash);
    }
    return transaction;
  };
  EXPECT_EQ(CheckConflict(with_keys(1, {1, 2}), with_keys(2, {3})), Conflict::kNone);
  EXPECT_EQ(CheckConflict(with_keys(1, {1, 2}), with_keys(2, {2})), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(with_keys(1, {1}), Sample(8, 2)), Conflict::kRetryable);
  EXPECT_EQ(CheckConflict(Sample(8, 2), with_keys(1, {1})), Conflict::kNone);
  EXPECT_EQ(CheckConflict(with_keys(1, {1}), Sample(0, 2)), Conflict::kRetryable);
  Transaction other_field = with_keys(2, {9});
  other_field.mutable_update()->mutable_inserted_rows()->set_field_ids(0, 1);
  EXPECT_EQ(CheckConflict(with_keys(1, {1}), other_field), Conflict::kRetryable);
}

}  // namespace
}  // namespace glaive::table
