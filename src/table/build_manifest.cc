// What each operation makes of a manifest.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "glaive/version.h"

#include "base/clock.h"
#include "base/status.h"
#include "table/bitmap.h"
#include "table/committer.h"
#include "table/row_ids.h"

namespace glaive::table {

namespace {

using lance::table::DataFragment;
using lance::table::IndexMetadata;
using lance::table::Transaction;
using Indices = std::vector<IndexMetadata>;
template <typename T>
using Repeated = google::protobuf::RepeatedPtrField<T>;
template <typename V>
using TextMap = google::protobuf::Map<std::string, V>;

constexpr uint64_t kStickyFlags = kFlagStableRowIds | kFlagCoveredIndices | kFlagMixedFileVersions;
constexpr const char* kPrimaryKey = "lance-schema:unenforced-primary-key";

std::set<int32_t> SchemaIds(const lance::table::Manifest& pb) {
  std::set<int32_t> ids;
  for (const auto& field : pb.fields()) {
    ids.insert(field.id());
  }
  return ids;
}

// The work on one manifest.
class Builder {
 public:
  Builder(const Manifest* base, const Transaction& transaction, uint64_t new_version,
          const CommitOptions& options, const Manifest* restore_source, Manifest* next)
      : base_(base),
        transaction_(transaction),
        new_version_(new_version),
        options_(options),
        restore_source_(restore_source),
        indices_(next->indices),
        pb_(*next->mutable_pb()) {}

  arrow::Status Run() {
    ARROW_RETURN_NOT_OK(Start());
    ARROW_RETURN_NOT_OK(Apply());
    return Finish();
  }

 private:
  arrow::Status Start() {
    if (base_ == nullptr) {
      GLAIVE_CHECK_ARGUMENT(transaction_.has_overwrite(), "a new table begins with an overwrite");
      stable_ = options_.stable_row_ids;
      pb_.mutable_data_format()->set_file_format("lance");
      pb_.mutable_data_format()->set_version(options_.data_version.ToString());
      return arrow::Status::OK();
    }
    const uint64_t unknown =
        (base_->pb.writer_feature_flags() | base_->pb.reader_feature_flags()) & ~kKnownFlags;
    if (unknown != 0) {
      return Unsupported(
          "version ", base_->version(),
          " can be read, but writing needs features that this build lacks: ", FlagNames(unknown));
    }
    pb_ = base_->pb;
    indices_ = base_->indices;
    stable_ = base_->stable_row_ids();
    if (pb_.has_max_fragment_id() || pb_.fragments_size() > 0) {
      uint64_t highest = pb_.max_fragment_id();
      for (const auto& fragment : pb_.fragments()) {
        highest = std::max(highest, fragment.id());
      }
      next_fragment_id_ = highest + 1;
    }
    return arrow::Status::OK();
  }

  arrow::Status Apply() {
    switch (transaction_.operation_case()) {
      case Transaction::kAppend:
        return AddNew(transaction_.append().fragments());
      case Transaction::kDelete:
        return ApplyDelete(transaction_.delete_());
      case Transaction::kOverwrite:
        return ApplyOverwrite(transaction_.overwrite());
      case Transaction::kCreateIndex:
        return ApplyCreateIndex(transaction_.create_index());
      case Transaction::kRewrite:
        return ApplyRewrite(transaction_.rewrite());
      case Transaction::kMerge:
        return ApplyMerge(transaction_.merge());
      case Transaction::kRestore:
        return ApplyRestore();
      case Transaction::kReserveFragments:
        next_fragment_id_ += transaction_.reserve_fragments().num_fragments();
        return arrow::Status::OK();
      case Transaction::kUpdate:
        return ApplyUpdate(transaction_.update());
      case Transaction::kProject:
        return ApplyProject(transaction_.project());
      case Transaction::kUpdateConfig:
        return ApplyUpdateConfig(transaction_.update_config());
      case Transaction::kDataReplacement:
        return ApplyDataReplacement(transaction_.data_replacement());
      case Transaction::kUpdateBases:
        return ApplyUpdateBases(transaction_.update_bases());
      default:
        return Unsupported("committing operation ",
                           static_cast<int>(transaction_.operation_case()));
    }
  }

  // ---- fragments ----

  // Adds fragments of the transaction; id 0 means that none was assigned yet.
  arrow::Status AddNew(const Repeated<DataFragment>& fragments) {
    for (const auto& added : fragments) {
      DataFragment fragment = added;
      if (fragment.id() == 0) {
        fragment.set_id(next_fragment_id_);
      }
      next_fragment_id_ = std::max(next_fragment_id_, fragment.id() + 1);
      GLAIVE_CHECK_ARGUMENT(next_fragment_id_ <= uint64_t{UINT32_MAX}, "the table has used up all ",
                            UINT32_MAX, " fragment ids");
      ARROW_RETURN_NOT_OK(AssignRowIds(&fragment));
      NoteFileVersions(fragment);
      *pb_.add_fragments() = std::move(fragment);
    }
    return arrow::Status::OK();
  }

  // Gives rows without a stable id the next ones, and rows without lineage this version.
  arrow::Status AssignRowIds(DataFragment* fragment) {
    if (!stable_) {
      return arrow::Status::OK();
    }
    if (!fragment->has_external_row_ids()) {
      const std::string what = Concat("new fragment ", fragment->id());
      ARROW_ASSIGN_OR_RAISE(const uint64_t given, CountRowIds(fragment->inline_row_ids(), what));
      GLAIVE_CHECK_ARGUMENT(given <= fragment->physical_rows(), what, " has ",
                            fragment->physical_rows(), " rows, but ", given, " row ids");
      const uint64_t missing = fragment->physical_rows() - given;
      if (missing > 0) {
        GLAIVE_CHECK_ARGUMENT(pb_.next_row_id() <= UINT64_MAX - missing, "row ids are used up");
        fragment->set_inline_row_ids(
            AppendRowIdRange(fragment->inline_row_ids(), pb_.next_row_id(), missing));
        pb_.set_next_row_id(pb_.next_row_id() + missing);
      }
    }
    const std::string now = SerializeVersionRun(fragment->physical_rows(), new_version_);
    if (fragment->created_at_version_sequence_case() ==
        DataFragment::CREATED_AT_VERSION_SEQUENCE_NOT_SET) {
      fragment->set_inline_created_at_versions(now);
    }
    if (fragment->last_updated_at_version_sequence_case() ==
        DataFragment::LAST_UPDATED_AT_VERSION_SEQUENCE_NOT_SET) {
      fragment->set_inline_last_updated_at_versions(now);
    }
    return arrow::Status::OK();
  }

  // Files of another version than the table's make it mixed.
  void NoteFileVersions(const DataFragment& fragment) {
    for (const auto& file : fragment.files()) {
      const file::FileVersion version{static_cast<uint16_t>(file.file_major_version()),
                                      static_cast<uint16_t>(file.file_minor_version())};
      if (version.major >= 2 && version.ToString() != pb_.data_format().version()) {
        mixed_versions_ = true;
      }
    }
  }

  DataFragment* Find(uint64_t id) {
    if (positions_.empty()) {
      for (int i = 0; i < pb_.fragments_size(); ++i) {
        positions_[pb_.fragments(i).id()] = i;
      }
    }
    const auto at = positions_.find(id);
    return at == positions_.end() ? nullptr : pb_.mutable_fragments(at->second);
  }

  arrow::Result<DataFragment*> MustFind(uint64_t id) {
    DataFragment* fragment = Find(id);
    if (fragment == nullptr) {
      return CommitConflict("fragment ", id, " that the transaction changes is not in version ",
                            base_->version());
    }
    return fragment;
  }

  arrow::Status RemoveFragments(const std::unordered_set<uint64_t>& ids) {
    if (ids.empty()) {
      return arrow::Status::OK();
    }
    for (const uint64_t id : ids) {
      ARROW_RETURN_NOT_OK(MustFind(id).status());
    }
    auto* fragments = pb_.mutable_fragments();
    const auto kept = std::stable_partition(
        fragments->pointer_begin(), fragments->pointer_end(),
        [&ids](const DataFragment* fragment) { return ids.count(fragment->id()) == 0; });
    fragments->DeleteSubrange(static_cast<int>(kept - fragments->pointer_begin()),
                              static_cast<int>(fragments->pointer_end() - kept));
    positions_.clear();
    return arrow::Status::OK();
  }

  // Files without any field of the schema hold nothing that can be read.
  void DropDeadFiles(DataFragment* fragment) const {
    const std::set<int32_t> live = SchemaIds(pb_);
    auto* files = fragment->mutable_files();
    for (int i = files->size() - 1; i >= 0; --i) {
      const auto& fields = files->at(i).fields();
      if (std::none_of(fields.begin(), fields.end(),
                       [&](int32_t id) { return live.count(id) != 0; })) {
        files->DeleteSubrange(i, 1);
      }
    }
  }

  arrow::Status ApplyDelete(const Transaction::Delete& operation) {
    // Only the deletion file changes: files that others added or dropped meanwhile stay as they
    // are.
    for (const auto& updated : operation.updated_fragments()) {
      ARROW_ASSIGN_OR_RAISE(auto* fragment, MustFind(updated.id()));
      *fragment->mutable_deletion_file() = updated.deletion_file();
    }
    return RemoveFragments(
        {operation.deleted_fragment_ids().begin(), operation.deleted_fragment_ids().end()});
  }

  arrow::Status ApplyUpdate(const Transaction::Update& operation) {
    ARROW_ASSIGN_OR_RAISE(auto added, WithLineage(operation.new_fragments()));
    std::unordered_set<uint64_t> updated_ids;
    for (const auto& updated : operation.updated_fragments()) {
      ARROW_ASSIGN_OR_RAISE(auto* fragment, MustFind(updated.id()));
      *fragment = updated;
      DropDeadFiles(fragment);
      updated_ids.insert(updated.id());
    }
    ARROW_RETURN_NOT_OK(RemoveFragments(
        {operation.removed_fragment_ids().begin(), operation.removed_fragment_ids().end()}));
    ARROW_RETURN_NOT_OK(AddNew(added));
    return UncoverModified({operation.fields_modified().begin(), operation.fields_modified().end()},
                           updated_ids);
  }

  // Rows that an update moves keep their stable id and the version they were created at.
  arrow::Result<Repeated<DataFragment>> WithLineage(const Repeated<DataFragment>& fragments) {
    Repeated<DataFragment> out = fragments;
    if (!stable_) {
      return out;
    }
    for (auto& fragment : out) {
      if (!fragment.has_inline_row_ids() || fragment.created_at_version_sequence_case() !=
                                                DataFragment::CREATED_AT_VERSION_SEQUENCE_NOT_SET) {
        continue;
      }
      const std::string what = "new fragment of an update";
      ARROW_ASSIGN_OR_RAISE(const uint64_t given, CountRowIds(fragment.inline_row_ids(), what));
      GLAIVE_CHECK_ARGUMENT(given <= fragment.physical_rows(), what, " has ",
                            fragment.physical_rows(), " rows, but ", given, " row ids");
      ARROW_ASSIGN_OR_RAISE(auto ids, ParseRowIds(fragment.inline_row_ids(), given, what));
      std::vector<uint64_t> created(fragment.physical_rows(), new_version_);
      for (uint64_t i = 0; i < given; ++i) {
        ARROW_ASSIGN_OR_RAISE(const auto version, CreatedAt(ids->Get(i)));
        created[i] = version.value_or(new_version_);
      }
      fragment.set_inline_created_at_versions(SerializeVersions(created));
    }
    return out;
  }

  struct Lineage {
    std::shared_ptr<const RowIdSequence> ids;
    std::shared_ptr<const RowVersions> created;
  };

  arrow::Result<std::optional<uint64_t>> CreatedAt(uint64_t row_id) {
    ARROW_RETURN_NOT_OK(LoadLineage());
    for (const auto& lineage : lineage_) {
      if (const auto offset = lineage.ids->Find(row_id)) {
        return lineage.created == nullptr ? uint64_t{1} : lineage.created->Get(*offset);
      }
    }
    return std::nullopt;
  }

  arrow::Status LoadLineage() {
    if (!lineage_.empty()) {
      return arrow::Status::OK();
    }
    for (const auto& fragment : base_->pb.fragments()) {
      const std::string what = Concat("fragment ", fragment.id());
      if (!fragment.has_inline_row_ids()) {
        continue;
      }
      Lineage lineage;
      ARROW_ASSIGN_OR_RAISE(lineage.ids,
                            ParseRowIds(fragment.inline_row_ids(), fragment.physical_rows(), what));
      if (fragment.has_inline_created_at_versions()) {
        ARROW_ASSIGN_OR_RAISE(lineage.created,
                              RowVersions::Parse(fragment.inline_created_at_versions(),
                                                 fragment.physical_rows(), what));
      }
      lineage_.push_back(std::move(lineage));
    }
    return arrow::Status::OK();
  }

  arrow::Status ApplyOverwrite(const Transaction::Overwrite& operation) {
    pb_.clear_fragments();
    positions_.clear();
    *pb_.mutable_fields() = operation.schema();
    *pb_.mutable_schema_metadata() = operation.schema_metadata();
    for (const auto& [key, value] : operation.config_upsert_values()) {
      (*pb_.mutable_config())[key] = value;
    }
    ARROW_RETURN_NOT_OK(AddBases(operation.initial_bases()));
    indices_.clear();
    SetFormatOf(operation.fragments());
    return AddNew(operation.fragments());
  }

  // All fragments are new: their version is the table's, and nothing is mixed but by themselves.
  void SetFormatOf(const Repeated<DataFragment>& fragments) {
    for (const auto& fragment : fragments) {
      for (const auto& file : fragment.files()) {
        const file::FileVersion version{static_cast<uint16_t>(file.file_major_version()),
                                        static_cast<uint16_t>(file.file_minor_version())};
        pb_.mutable_data_format()->set_file_format("lance");
        pb_.mutable_data_format()->set_version(version.ToString());
        return;
      }
    }
  }

  arrow::Status ApplyRewrite(const Transaction::Rewrite& operation) {
    auto groups = operation.groups();
    if (groups.empty() && operation.old_fragments_size() > 0) {
      auto* group = groups.Add();
      *group->mutable_old_fragments() = operation.old_fragments();
      *group->mutable_new_fragments() = operation.new_fragments();
    }
    for (const auto& group : groups) {
      std::unordered_set<uint64_t> old_ids;
      for (const auto& fragment : group.old_fragments()) {
        old_ids.insert(fragment.id());
      }
      ARROW_RETURN_NOT_OK(RemoveFragments(old_ids));
      const int before = pb_.fragments_size();
      ARROW_RETURN_NOT_OK(AddNew(group.new_fragments()));
      std::vector<uint64_t> new_ids;
      for (int i = before; i < pb_.fragments_size(); ++i) {
        new_ids.push_back(pb_.fragments(i).id());
      }
      ARROW_RETURN_NOT_OK(RemapCoverage(operation, old_ids, new_ids));
    }
    return ReplaceIndices(operation);
  }

  arrow::Status ApplyMerge(const Transaction::Merge& operation) {
    std::unordered_map<uint64_t, uint64_t> rows;
    for (const auto& fragment : operation.fragments()) {
      rows[fragment.id()] = fragment.physical_rows();
    }
    for (const auto& fragment : pb_.fragments()) {
      const auto at = rows.find(fragment.id());
      GLAIVE_CHECK_ARGUMENT(at != rows.end() && at->second == fragment.physical_rows(),
                            "a merge must keep fragment ", fragment.id(), " with its ",
                            fragment.physical_rows(), " rows");
    }
    *pb_.mutable_fields() = operation.schema();
    *pb_.mutable_schema_metadata() = operation.schema_metadata();
    pb_.clear_fragments();
    positions_.clear();
    for (const auto& fragment : operation.fragments()) {
      *pb_.add_fragments() = fragment;
      DropDeadFiles(pb_.mutable_fragments(pb_.fragments_size() - 1));
      NoteFileVersions(fragment);
      next_fragment_id_ = std::max(next_fragment_id_, fragment.id() + 1);
    }
    return arrow::Status::OK();
  }

  arrow::Status ApplyProject(const Transaction::Project& operation) {
    *pb_.mutable_fields() = operation.schema();
    for (auto& fragment : *pb_.mutable_fragments()) {
      DropDeadFiles(&fragment);
    }
    return arrow::Status::OK();
  }

  arrow::Status ApplyRestore() {
    GLAIVE_CHECK_ARGUMENT(restore_source_ != nullptr &&
                              restore_source_->version() == transaction_.restore().version(),
                          "the manifest of version ", transaction_.restore().version(),
                          " is needed to restore it");
    const uint64_t next_row_id = std::max(pb_.next_row_id(), restore_source_->pb.next_row_id());
    pb_ = restore_source_->pb;
    indices_ = restore_source_->indices;
    stable_ = restore_source_->stable_row_ids();
    sticky_from_ = restore_source_;
    pb_.set_next_row_id(next_row_id);
    return arrow::Status::OK();
  }

  arrow::Status ApplyDataReplacement(const Transaction::DataReplacement& operation) {
    for (const auto& group : operation.replacements()) {
      ARROW_ASSIGN_OR_RAISE(auto* fragment, MustFind(group.fragment_id()));
      const auto& file = group.new_file();
      const std::set<int32_t> wanted(file.fields().begin(), file.fields().end());
      bool placed = false;
      for (auto& old : *fragment->mutable_files()) {
        const std::set<int32_t> held(old.fields().begin(), old.fields().end());
        if (held == wanted) {
          old = file;
          placed = true;
          break;
        }
      }
      if (!placed) {
        *fragment->add_files() = file;
      }
      NoteFileVersions(*fragment);
      ARROW_RETURN_NOT_OK(UncoverModified({wanted.begin(), wanted.end()}, {group.fragment_id()}));
    }
    return arrow::Status::OK();
  }

  // ---- indices ----

  arrow::Result<Bitmap> CoverageOf(const IndexMetadata& index) const {
    return Bitmap::Parse(index.fragment_bitmap(),
                         Concat("fragment bitmap of index ", index.name()));
  }

  // Takes fragments out of the bitmaps of indices over changed fields.
  arrow::Status UncoverModified(const std::set<int64_t>& fields,
                                const std::unordered_set<uint64_t>& ids) {
    if (fields.empty() || ids.empty()) {
      return arrow::Status::OK();
    }
    for (auto& index : indices_) {
      const bool modified = std::any_of(index.fields().begin(), index.fields().end(),
                                        [&](int32_t id) { return fields.count(id) != 0; });
      if (!modified || index.fragment_bitmap().empty()) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto coverage, CoverageOf(index));
      for (const uint64_t id : ids) {
        coverage.Remove(static_cast<uint32_t>(id));
      }
      index.set_fragment_bitmap(coverage.Serialize());
    }
    return arrow::Status::OK();
  }

  // An index that covered the old fragments covers the new ones, if its row ids still hold:
  // rewritten with them, or stable. The others keep their bitmaps, whose dead fragments count for
  // nothing.
  arrow::Status RemapCoverage(const Transaction::Rewrite& operation,
                              const std::unordered_set<uint64_t>& old_ids,
                              const std::vector<uint64_t>& new_ids) {
    for (auto& index : indices_) {
      const bool follows =
          stable_ || std::any_of(operation.rewritten_indices().begin(),
                                 operation.rewritten_indices().end(), [&](const auto& rewritten) {
                                   return rewritten.old_id().uuid() == index.uuid().uuid();
                                 });
      if (!follows || index.fragment_bitmap().empty()) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto coverage, CoverageOf(index));
      size_t covered = 0;
      for (const uint64_t id : old_ids) {
        covered += coverage.Contains(static_cast<uint32_t>(id)) ? 1 : 0;
      }
      if (covered == 0) {
        continue;
      }
      GLAIVE_CHECK_ARGUMENT(covered == old_ids.size(), "index ", index.name(), " covers ", covered,
                            " of ", old_ids.size(), " fragments that are rewritten together");
      for (const uint64_t id : old_ids) {
        coverage.Remove(static_cast<uint32_t>(id));
      }
      for (const uint64_t id : new_ids) {
        coverage.Add(static_cast<uint32_t>(id));
      }
      index.set_fragment_bitmap(coverage.Serialize());
    }
    return arrow::Status::OK();
  }

  arrow::Status ReplaceIndices(const Transaction::Rewrite& operation) {
    for (const auto& rewritten : operation.rewritten_indices()) {
      for (auto& index : indices_) {
        if (index.uuid().uuid() != rewritten.old_id().uuid()) {
          continue;
        }
        *index.mutable_uuid() = rewritten.new_id();
        if (rewritten.has_new_index_details()) {
          *index.mutable_index_details() = rewritten.new_index_details();
          index.set_index_version(static_cast<int32_t>(rewritten.new_index_version()));
        }
        *index.mutable_files() = rewritten.new_index_files();
        break;
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status ApplyCreateIndex(const Transaction::CreateIndex& operation) {
    std::set<std::string> gone;
    for (const auto* list : {&operation.removed_indices(), &operation.new_indices()}) {
      for (const auto& index : *list) {
        gone.insert(index.uuid().uuid());
      }
    }
    std::erase_if(indices_,
                  [&](const auto& index) { return gone.count(index.uuid().uuid()) != 0; });
    indices_.insert(indices_.end(), operation.new_indices().begin(), operation.new_indices().end());
    return arrow::Status::OK();
  }

  // ---- configuration ----

  template <typename V>
  static void UpdateText(const Transaction::UpdateMap& update, TextMap<V>* map) {
    if (update.replace()) {
      map->clear();
    }
    for (const auto& entry : update.update_entries()) {
      if (entry.has_value()) {
        (*map)[entry.key()] = entry.value();
      } else {
        map->erase(entry.key());
      }
    }
  }

  arrow::Status ApplyUpdateConfig(const Transaction::UpdateConfig& operation) {
    for (const auto& [key, value] : operation.upsert_values()) {
      (*pb_.mutable_config())[key] = value;
    }
    for (const auto& key : operation.delete_keys()) {
      pb_.mutable_config()->erase(key);
    }
    if (!operation.schema_metadata().empty()) {
      pb_.mutable_schema_metadata()->clear();
      for (const auto& [key, value] : operation.schema_metadata()) {
        (*pb_.mutable_schema_metadata())[key] = value;
      }
    }
    UpdateText(operation.config_updates(), pb_.mutable_config());
    UpdateText(operation.table_metadata_updates(), pb_.mutable_table_metadata());
    UpdateText(operation.schema_metadata_updates(), pb_.mutable_schema_metadata());
    for (const auto& [id, update] : operation.field_metadata()) {
      ARROW_ASSIGN_OR_RAISE(auto* field, FindField(static_cast<int32_t>(id)));
      field->mutable_metadata()->clear();
      for (const auto& [key, value] : update.metadata()) {
        (*field->mutable_metadata())[key] = value;
      }
      SetPrimaryKey(field);
    }
    for (const auto& [id, update] : operation.field_metadata_updates()) {
      ARROW_ASSIGN_OR_RAISE(auto* field, FindField(id));
      UpdateText(update, field->mutable_metadata());
      SetPrimaryKey(field);
    }
    return arrow::Status::OK();
  }

  arrow::Result<lance::file::Field*> FindField(int32_t id) {
    for (auto& field : *pb_.mutable_fields()) {
      if (field.id() == id) {
        return &field;
      }
    }
    return InvalidArgument("the table has no field with the id ", id);
  }

  // The key lives in metadata when it is set, and in fields of its own for readers.
  static void SetPrimaryKey(lance::file::Field* field) {
    const auto position = field->metadata().find(kPrimaryKeyPosition);
    if (position != field->metadata().end()) {
      const auto number = std::strtoul(position->second.c_str(), nullptr, 10);
      field->set_unenforced_primary_key(number > 0);
      field->set_unenforced_primary_key_position(static_cast<uint32_t>(number));
      return;
    }
    const auto legacy = field->metadata().find(kPrimaryKey);
    if (legacy != field->metadata().end()) {
      field->set_unenforced_primary_key(legacy->second == "true" || legacy->second == "1");
    }
  }

  arrow::Status AddBases(const Repeated<lance::table::BasePath>& bases) {
    for (const auto& added : bases) {
      for (const auto& base : pb_.base_paths()) {
        GLAIVE_CHECK_ARGUMENT(base.id() != added.id(), "base path id ", added.id(), " is taken by ",
                              base.path());
      }
      *pb_.add_base_paths() = added;
    }
    return arrow::Status::OK();
  }

  arrow::Status ApplyUpdateBases(const Transaction::UpdateBases& operation) {
    return AddBases(operation.new_bases());
  }

  // ---- the end ----

  arrow::Status Finish() {
    DropOrphanedIndices();
    SortFragments();
    pb_.set_version(new_version_);
    if (next_fragment_id_ > 0) {
      pb_.set_max_fragment_id(
          std::max(pb_.max_fragment_id(), static_cast<uint32_t>(next_fragment_id_ - 1)));
    }
    pb_.clear_tag();
    pb_.clear_transaction_file();
    SetTimestamp();
    auto* writer = pb_.mutable_writer_version();
    writer->Clear();
    writer->set_library("glaive");
    writer->set_version(GLAIVE_VERSION_STRING);
    SetFlags();
    return Check();
  }

  // Indices go with the columns that they were built over.
  void DropOrphanedIndices() {
    const std::set<int32_t> live = SchemaIds(pb_);
    std::erase_if(indices_, [&live](const auto& index) {
      return std::any_of(index.fields().begin(), index.fields().end(),
                         [&live](int32_t id) { return live.count(id) == 0; });
    });
  }

  void SortFragments() {
    const auto by_id = [](const DataFragment* a, const DataFragment* b) {
      return a->id() < b->id();
    };
    auto* fragments = pb_.mutable_fragments();
    if (!std::is_sorted(fragments->pointer_begin(), fragments->pointer_end(), by_id)) {
      std::sort(fragments->pointer_begin(), fragments->pointer_end(), by_id);
    }
  }

  void SetTimestamp() {
    int64_t nanos = NowNanos();
    if (base_ != nullptr) {
      // Never earlier than the version before, whatever was done to the clock.
      const auto& before = base_->pb.timestamp();
      const int64_t latest = int64_t{1} << 33;
      if (before.seconds() >= 0 && before.seconds() < latest) {
        nanos = std::max(nanos, before.seconds() * 1'000'000'000 + before.nanos() + 1);
      }
    }
    pb_.mutable_timestamp()->set_seconds(nanos / 1'000'000'000);
    pb_.mutable_timestamp()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  }

  void SetFlags() {
    const Manifest* before = sticky_from_ != nullptr ? sticky_from_ : base_;
    uint64_t both = 0;
    if (before != nullptr) {
      both |=
          (before->pb.reader_feature_flags() | before->pb.writer_feature_flags()) & kStickyFlags;
    }
    const auto& fragments = pb_.fragments();
    if (std::any_of(fragments.begin(), fragments.end(),
                    [](const auto& fragment) { return fragment.has_deletion_file(); })) {
      both |= kFlagDeletionFiles;
    }
    both |= stable_ ? kFlagStableRowIds : 0;
    both |= pb_.base_paths().empty() ? 0 : kFlagBasePaths;
    both |= mixed_versions_ ? kFlagMixedFileVersions : 0;
    uint64_t writer = both;
    writer |= pb_.config().empty() ? 0 : kFlagTableConfig;
    writer |= options_.write_transaction_file ? 0 : kFlagNoTransactionFile;
    pb_.set_reader_feature_flags(both);
    pb_.set_writer_feature_flags(writer);
  }

  // What we would refuse to read, we must not write.
  arrow::Status Check() const {
    const arrow::Status checked = CheckFragments(pb_, Concat("new version ", new_version_));
    if (!checked.ok()) {
      return InvalidArgument("the transaction makes no valid table: ", checked.message());
    }
    for (const auto& fragment : pb_.fragments()) {
      for (const auto& file : fragment.files()) {
        GLAIVE_CHECK_ARGUMENT(file.fields_size() > 0, "data file ", file.path(), " holds no field");
      }
      GLAIVE_CHECK_ARGUMENT(
          !stable_ || fragment.row_id_sequence_case() != DataFragment::ROW_ID_SEQUENCE_NOT_SET,
          "fragment ", fragment.id(), " has no row ids in a table with stable row ids");
    }
    return arrow::Status::OK();
  }

  const Manifest* base_;
  const Transaction& transaction_;
  const uint64_t new_version_;
  const CommitOptions& options_;
  const Manifest* restore_source_;
  Indices& indices_;
  lance::table::Manifest& pb_;
  const Manifest* sticky_from_ = nullptr;
  bool stable_ = false;
  bool mixed_versions_ = false;
  uint64_t next_fragment_id_ = 0;
  std::unordered_map<uint64_t, int> positions_;  // fragment id -> index; empty = to be made
  std::vector<Lineage> lineage_;
};

}  // namespace

arrow::Status BuildManifest(const Manifest* base, const Transaction& transaction,
                            uint64_t new_version, const CommitOptions& options,
                            const Manifest* restore_source, Manifest* next) {
  return Builder(base, transaction, new_version, options, restore_source, next).Run();
}

}  // namespace glaive::table
