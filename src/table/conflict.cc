// Whether our transaction can stand on top of one that was committed since our read version. A
// table of answers for pairs of operations, with rules where the answer depends on what they touch.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "table/bitmap.h"
#include "table/committer.h"

namespace glaive::table {

namespace {

using lance::table::DataFragment;
using lance::table::IndexMetadata;
using lance::table::Transaction;

using Ids = std::set<uint64_t>;

// Columns of the table below. An operation that is not in it is unknown to this build.
enum Column : size_t {
  kAppend,
  kDelete,
  kOverwrite,
  kCreateIndex,
  kRewrite,
  kMerge,
  kRestore,
  kReserve,
  kUpdate,
  kProject,
  kUpdateConfig,
  kDataReplacement,
  kClone,
  kMemWal,
  kUpdateBases,
  kColumns,
};

// Rows: our operation, in the order of the columns. '.' compatible, 'R' retryable, 'X'
// incompatible, a letter: a rule below.
constexpr std::array<std::string_view, kColumns> kAnswers = {
    //  A    D    O    C    R    M    R    R    U    P    U    D    C    M    U
    "..X..aX...w..X.",  // Append
    ".bX.cRX.b..c.X.",  // Delete
    "..d.......e..X.",  // Overwrite
    "..Xfg.X.h..i.R.",  // CreateIndex
    ".cXkcRX.c..c...",  // Rewrite
    "RRX.RRX.RX.R.X.",  // Merge
    ".............X.",  // Restore
    "..X...X........",  // ReserveFragments
    "lbX.cRX.m.wc.R.",  // Update
    "t.X..RX.tR...X.",  // Project
    "v.E..v..v.n....",  // UpdateConfig
    ".oXicRX.pq.r.X.",  // DataReplacement
    "...............",  // Clone
    "RRXRRRXRRRRRRRR",  // UpdateMemWalState: never ours, so the careful answer
    "..............s",  // UpdateBases
};

size_t ColumnOf(const Transaction& transaction) {
  switch (transaction.operation_case()) {
    case Transaction::kAppend:
      return kAppend;
    case Transaction::kDelete:
      return kDelete;
    case Transaction::kOverwrite:
      return kOverwrite;
    case Transaction::kCreateIndex:
      return kCreateIndex;
    case Transaction::kRewrite:
      return kRewrite;
    case Transaction::kMerge:
      return kMerge;
    case Transaction::kRestore:
      return kRestore;
    case Transaction::kReserveFragments:
      return kReserve;
    case Transaction::kUpdate:
      return kUpdate;
    case Transaction::kProject:
      return kProject;
    case Transaction::kUpdateConfig:
      return kUpdateConfig;
    case Transaction::kDataReplacement:
      return kDataReplacement;
    case Transaction::kClone:
      return kClone;
    case Transaction::kUpdateMemWalState:
      return kMemWal;
    case Transaction::kUpdateBases:
      return kUpdateBases;
    case Transaction::kDataOverlay:
    case Transaction::kAppendFragmentReuseTransitions:
    case Transaction::OPERATION_NOT_SET:
      break;
  }
  return kColumns;
}

template <typename Fragments>
void AddIds(const Fragments& fragments, Ids* ids) {
  for (const auto& fragment : fragments) {
    ids->insert(fragment.id());
  }
}

// Fragments that an operation changes or removes.
Ids TouchedFragments(const Transaction& transaction) {
  Ids ids;
  if (transaction.has_delete_()) {
    AddIds(transaction.delete_().updated_fragments(), &ids);
    ids.insert(transaction.delete_().deleted_fragment_ids().begin(),
               transaction.delete_().deleted_fragment_ids().end());
  } else if (transaction.has_update()) {
    AddIds(transaction.update().updated_fragments(), &ids);
    ids.insert(transaction.update().removed_fragment_ids().begin(),
               transaction.update().removed_fragment_ids().end());
  } else if (transaction.has_rewrite()) {
    AddIds(transaction.rewrite().old_fragments(), &ids);
    for (const auto& group : transaction.rewrite().groups()) {
      AddIds(group.old_fragments(), &ids);
    }
  } else if (transaction.has_data_replacement()) {
    for (const auto& replacement : transaction.data_replacement().replacements()) {
      ids.insert(replacement.fragment_id());
    }
  }
  return ids;
}

template <typename T>
bool Intersect(const std::set<T>& a, const std::set<T>& b) {
  return std::any_of(a.begin(), a.end(), [&b](const T& item) { return b.count(item) != 0; });
}

Conflict RetryIf(bool condition) {
  return condition ? Conflict::kRetryable : Conflict::kNone;
}

Conflict IncompatibleIf(bool condition) {
  return condition ? Conflict::kIncompatible : Conflict::kNone;
}

const DataFragment* UpdatedFragment(const Transaction& transaction, uint64_t id) {
  const auto& updated = transaction.has_delete_() ? transaction.delete_().updated_fragments()
                                                  : transaction.update().updated_fragments();
  const auto at = std::find_if(updated.begin(), updated.end(),
                               [id](const auto& fragment) { return fragment.id() == id; });
  return at == updated.end() ? nullptr : &*at;
}

bool SameFiles(const DataFragment& a, const DataFragment& b) {
  if (a.files_size() != b.files_size()) {
    return false;
  }
  for (int i = 0; i < a.files_size(); ++i) {
    if (a.files(i).SerializeAsString() != b.files(i).SerializeAsString()) {
      return false;
    }
  }
  return true;
}

// Rule b: deletes and updates of the same fragments can stand together if only deletion vectors
// changed; whether the rows are disjoint is for the committer to find out.
Conflict DeletionsAgainstDeletions(const Transaction& ours, const Transaction& theirs) {
  const Ids their_ids = TouchedFragments(theirs);
  bool common = false;
  for (const uint64_t id : TouchedFragments(ours)) {
    if (their_ids.count(id) == 0) {
      continue;
    }
    common = true;
    const DataFragment* mine = UpdatedFragment(ours, id);
    const DataFragment* other = UpdatedFragment(theirs, id);
    if (mine == nullptr || other == nullptr || !SameFiles(*mine, *other)) {
      return Conflict::kRetryable;
    }
  }
  return common ? Conflict::kRebase : Conflict::kNone;
}

// Whether two filters of inserted keys may hold a common key.
bool KeysMayMeet(const Transaction::KeyExistenceFilter& a,
                 const Transaction::KeyExistenceFilter& b) {
  const bool same_fields = std::equal(a.field_ids().begin(), a.field_ids().end(),
                                      b.field_ids().begin(), b.field_ids().end());
  if (!same_fields || a.data_case() != b.data_case()) {
    return true;
  }
  if (a.has_exact()) {
    const auto& hashes = b.exact().key_hashes();
    const std::set<uint64_t> others(hashes.begin(), hashes.end());
    return std::any_of(a.exact().key_hashes().begin(), a.exact().key_hashes().end(),
                       [&others](uint64_t hash) { return others.count(hash) != 0; });
  }
  const std::string& left = a.bloom().bitmap();
  const std::string& right = b.bloom().bitmap();
  if (!a.has_bloom() || left.size() != right.size() ||
      a.bloom().num_bits() != b.bloom().num_bits()) {
    return true;
  }
  for (size_t i = 0; i < left.size(); ++i) {
    if ((static_cast<unsigned char>(left[i]) & static_cast<unsigned char>(right[i])) != 0) {
      return true;
    }
  }
  return false;
}

// Rule m: two updates may not insert the same key.
Conflict UpdateAgainstUpdate(const Transaction& ours, const Transaction& theirs) {
  if (ours.update().has_inserted_rows() &&
      (!theirs.update().has_inserted_rows() ||
       KeysMayMeet(ours.update().inserted_rows(), theirs.update().inserted_rows()))) {
    return Conflict::kRetryable;
  }
  return DeletionsAgainstDeletions(ours, theirs);
}

// Keys that a change of one of the maps names.
std::set<std::string> KeysOf(const Transaction::UpdateMap& update) {
  std::set<std::string> keys;
  for (const auto& entry : update.update_entries()) {
    keys.insert(entry.key());
  }
  return keys;
}

std::set<std::string> ConfigKeys(const Transaction::UpdateConfig& update) {
  std::set<std::string> keys = KeysOf(update.config_updates());
  for (const auto& [key, value] : update.upsert_values()) {
    keys.insert(key);
  }
  keys.insert(update.delete_keys().begin(), update.delete_keys().end());
  return keys;
}

std::set<int32_t> MetadataFields(const Transaction::UpdateConfig& update) {
  std::set<int32_t> fields;
  for (const auto& [id, map] : update.field_metadata_updates()) {
    fields.insert(id);
  }
  for (const auto& [id, map] : update.field_metadata()) {
    fields.insert(static_cast<int32_t>(id));
  }
  return fields;
}

bool TouchesSchemaMetadata(const Transaction::UpdateConfig& update) {
  return !update.schema_metadata().empty() || update.has_schema_metadata_updates();
}

bool OverwriteTouchesConfig(const Transaction::Overwrite& overwrite,
                            const Transaction::UpdateConfig& update) {
  const std::set<std::string> keys = ConfigKeys(update);
  if (update.config_updates().replace() && overwrite.config_upsert_values_size() > 0) {
    return true;
  }
  return std::any_of(overwrite.config_upsert_values().begin(),
                     overwrite.config_upsert_values().end(),
                     [&keys](const auto& entry) { return keys.count(entry.first) != 0; });
}

bool MapsClash(const Transaction::UpdateMap& a, const Transaction::UpdateMap& b) {
  return a.replace() || b.replace() || Intersect(KeysOf(a), KeysOf(b));
}

// Rule n.
bool ConfigsClash(const Transaction::UpdateConfig& a, const Transaction::UpdateConfig& b) {
  const bool replaces = a.config_updates().replace() || b.config_updates().replace();
  const auto keys_a = ConfigKeys(a);
  const auto keys_b = ConfigKeys(b);
  if (Intersect(keys_a, keys_b) || (replaces && a.has_config_updates() && b.has_config_updates())) {
    return true;
  }
  if (a.has_table_metadata_updates() && b.has_table_metadata_updates() &&
      MapsClash(a.table_metadata_updates(), b.table_metadata_updates())) {
    return true;
  }
  const bool whole = !a.schema_metadata().empty() || !b.schema_metadata().empty();
  if (TouchesSchemaMetadata(a) && TouchesSchemaMetadata(b) &&
      (whole || MapsClash(a.schema_metadata_updates(), b.schema_metadata_updates()))) {
    return true;
  }
  return Intersect(MetadataFields(a), MetadataFields(b));
}

// Rule v: a key was found to be unique among the rows there were.
bool SetsPrimaryKey(const Transaction::UpdateConfig& update) {
  const auto names_key = [](const auto& entry) {
    return entry.key() == kPrimaryKeyPosition && entry.has_value();
  };
  for (const auto& [id, map] : update.field_metadata_updates()) {
    if (std::any_of(map.update_entries().begin(), map.update_entries().end(), names_key)) {
      return true;
    }
  }
  return false;
}

// Rule w: rows that were not checked against the key can't follow its enforcement.
bool EnforcesPrimaryKey(const Transaction::UpdateConfig& update) {
  return std::any_of(
      update.config_updates().update_entries().begin(),
      update.config_updates().update_entries().end(),
      [](const auto& entry) { return entry.key() == kPrimaryKeyEnforced && entry.has_value(); });
}

std::set<std::string> IndexUuids(const google::protobuf::RepeatedPtrField<IndexMetadata>& indices) {
  std::set<std::string> uuids;
  for (const auto& index : indices) {
    uuids.insert(index.uuid().uuid());
  }
  return uuids;
}

std::set<std::string> IndexNames(const Transaction::CreateIndex& operation) {
  std::set<std::string> names;
  for (const auto* indices : {&operation.new_indices(), &operation.removed_indices()}) {
    for (const auto& index : *indices) {
      names.insert(index.name());
    }
  }
  return names;
}

// True also where the bitmap is missing or can't be read: then nobody knows.
bool MayCover(const IndexMetadata& index, const Ids& fragments) {
  if (fragments.empty()) {
    return false;
  }
  auto bitmap = Bitmap::Parse(index.fragment_bitmap(), "fragment bitmap");
  return !bitmap.ok() || std::any_of(fragments.begin(), fragments.end(), [&](uint64_t id) {
    return id <= UINT32_MAX && bitmap->Contains(static_cast<uint32_t>(id));
  });
}

// Rules g and k. Without knowing the table's kind of row ids, overlap is a conflict.
Conflict IndexAgainstRewrite(const Transaction::CreateIndex& index, const Transaction& rewrite) {
  const Ids fragments = TouchedFragments(rewrite);
  return RetryIf(std::any_of(index.new_indices().begin(), index.new_indices().end(),
                             [&](const auto& entry) { return MayCover(entry, fragments); }));
}

// Rule i: a replaced column that the index covers in a fragment.
Conflict IndexAgainstReplacement(const Transaction::CreateIndex& index,
                                 const Transaction::DataReplacement& replacement) {
  for (const auto& group : replacement.replacements()) {
    for (const auto& entry : index.new_indices()) {
      const auto& fields = group.new_file().fields();
      const bool indexed = std::any_of(
          entry.fields().begin(), entry.fields().end(),
          [&](int32_t id) { return std::find(fields.begin(), fields.end(), id) != fields.end(); });
      if (indexed && MayCover(entry, {group.fragment_id()})) {
        return Conflict::kRetryable;
      }
    }
  }
  return Conflict::kNone;
}

// Rule h: rows of fragments that an index was built over changed in the indexed columns. The real
// writer takes those fragments out of the new index's bitmap; we let the index be built anew.
Conflict IndexAgainstUpdate(const Transaction::CreateIndex& index,
                            const Transaction::Update& update) {
  Ids updated;
  AddIds(update.updated_fragments(), &updated);
  for (const auto& entry : index.new_indices()) {
    const bool modified =
        std::any_of(entry.fields().begin(), entry.fields().end(), [&](int32_t id) {
          return std::find(update.fields_modified().begin(), update.fields_modified().end(),
                           static_cast<uint32_t>(id)) != update.fields_modified().end();
        });
    if (modified && MayCover(entry, updated)) {
      return Conflict::kRetryable;
    }
  }
  return Conflict::kNone;
}

std::set<std::pair<uint64_t, int32_t>> ReplacedFields(
    const Transaction::DataReplacement& replacement) {
  std::set<std::pair<uint64_t, int32_t>> fields;
  for (const auto& group : replacement.replacements()) {
    for (int32_t id : group.new_file().fields()) {
      fields.emplace(group.fragment_id(), id);
    }
  }
  return fields;
}

// Rule o.
Conflict ReplacementAgainstDelete(const Transaction& ours, const Transaction::Delete& theirs) {
  const Ids deleted(theirs.deleted_fragment_ids().begin(), theirs.deleted_fragment_ids().end());
  return IncompatibleIf(Intersect(TouchedFragments(ours), deleted));
}

// Rule p.
Conflict ReplacementAgainstUpdate(const Transaction& ours, const Transaction& theirs) {
  const auto& update = theirs.update();
  const Ids ids = TouchedFragments(ours);
  const Ids removed(update.removed_fragment_ids().begin(), update.removed_fragment_ids().end());
  if (Intersect(ids, removed)) {
    return Conflict::kIncompatible;
  }
  return RetryIf(Intersect(ids, TouchedFragments(theirs)));
}

// Rule q.
Conflict ReplacementAgainstProject(const Transaction::DataReplacement& ours,
                                   const Transaction::Project& theirs) {
  Ids live;
  for (const auto& field : theirs.schema()) {
    live.insert(static_cast<uint64_t>(field.id()));
  }
  for (const auto& [fragment, id] : ReplacedFields(ours)) {
    if (id >= 0 && live.count(static_cast<uint64_t>(id)) == 0) {
      return Conflict::kIncompatible;
    }
  }
  return Conflict::kNone;
}

// Rule s.
Conflict BasesAgainstBases(const Transaction::UpdateBases& ours,
                           const Transaction::UpdateBases& theirs) {
  for (const auto& a : ours.new_bases()) {
    for (const auto& b : theirs.new_bases()) {
      const bool same_name = a.has_name() && b.has_name() && a.name() == b.name();
      if (a.id() == b.id() || same_name || a.path() == b.path()) {
        return Conflict::kIncompatible;
      }
    }
  }
  return Conflict::kNone;
}

// Rule f.
Conflict IndexAgainstIndex(const Transaction::CreateIndex& ours,
                           const Transaction::CreateIndex& theirs) {
  return RetryIf(
      Intersect(IndexNames(ours), IndexNames(theirs)) ||
      Intersect(IndexUuids(ours.removed_indices()), IndexUuids(theirs.removed_indices())));
}

Conflict ApplyRule(char rule, const Transaction& ours, const Transaction& theirs) {
  switch (rule) {
    case '.':
      return Conflict::kNone;
    case 'X':
      return Conflict::kIncompatible;
    case 'a':  // an append may lack a column that can't be null
      return RetryIf(!theirs.merge().preserves_nullability());
    case 'b':
      return DeletionsAgainstDeletions(ours, theirs);
    case 'c':
      return RetryIf(Intersect(TouchedFragments(ours), TouchedFragments(theirs)));
    case 'e':
      return IncompatibleIf(OverwriteTouchesConfig(ours.overwrite(), theirs.update_config()));
    case 'E':
      return IncompatibleIf(OverwriteTouchesConfig(theirs.overwrite(), ours.update_config()) ||
                            TouchesSchemaMetadata(ours.update_config()) ||
                            !MetadataFields(ours.update_config()).empty());
    case 'f':
      return IndexAgainstIndex(ours.create_index(), theirs.create_index());
    case 'g':
      return IndexAgainstRewrite(ours.create_index(), theirs);
    case 'h':
      return IndexAgainstUpdate(ours.create_index(), theirs.update());
    case 'i':
      return ours.has_create_index()
                 ? IndexAgainstReplacement(ours.create_index(), theirs.data_replacement())
                 : IndexAgainstReplacement(theirs.create_index(), ours.data_replacement());
    case 'k':
      return IndexAgainstRewrite(theirs.create_index(), ours);
    case 'l':
      return RetryIf(ours.update().has_inserted_rows());
    case 'm':
      return UpdateAgainstUpdate(ours, theirs);
    case 'n':
      return IncompatibleIf(ConfigsClash(ours.update_config(), theirs.update_config()));
    case 'o':
      return ReplacementAgainstDelete(ours, theirs.delete_());
    case 'p':
      return ReplacementAgainstUpdate(ours, theirs);
    case 'q':
      return ReplacementAgainstProject(ours.data_replacement(), theirs.project());
    case 'r':
      return RetryIf(Intersect(ReplacedFields(ours.data_replacement()),
                               ReplacedFields(theirs.data_replacement())));
    case 's':
      return BasesAgainstBases(ours.update_bases(), theirs.update_bases());
    case 't':  // rows that came meanwhile may be null where none may be any more
      return RetryIf(!ours.project().preserves_nullability());
    case 'v':
      return RetryIf(SetsPrimaryKey(ours.update_config()));
    case 'w':
      return IncompatibleIf(EnforcesPrimaryKey(theirs.update_config()));
    default:  // 'R', 'd'
      return Conflict::kRetryable;
  }
}

}  // namespace

Conflict CheckConflict(const Transaction& ours, const Transaction& theirs) {
  const size_t row = ColumnOf(ours);
  const size_t column = ColumnOf(theirs);
  if (row == kColumns) {
    return Conflict::kIncompatible;
  }
  if (column == kColumns) {
    return Conflict::kRetryable;
  }
  return ApplyRule(kAnswers[row][column], ours, theirs);
}

}  // namespace glaive::table
