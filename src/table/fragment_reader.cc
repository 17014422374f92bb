#include "table/fragment_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"

namespace glaive::table {

namespace {

using lance::table::DataFile;

// What one data file contributes.
struct Part {
  std::shared_ptr<const file::FileReader> file;
  file::Projection projection;
  const DataFile* data_file = nullptr;
};

// Where the array of a projected column comes from; several sources are members of one struct.
struct Source {
  size_t part = 0;
  int column = 0;  // in the batch of that part
};

void CollectIds(const file::Field& field, std::set<int32_t>* ids) {
  ids->insert(field.id);
  for (const auto& child : field.children) {
    CollectIds(child, ids);
  }
}

using ColumnOfField = std::vector<std::pair<int32_t, uint32_t>>;

ColumnOfField ColumnsOf(const DataFile& file) {
  ColumnOfField columns;
  for (int i = 0; i < file.fields_size(); ++i) {
    if (file.fields(i) >= 0 && file.column_indices(i) >= 0) {
      columns.emplace_back(file.fields(i), static_cast<uint32_t>(file.column_indices(i)));
    }
  }
  return columns;
}

// The part of `field` that a file with these fields holds, empty children removed.
file::Field Prune(const file::Field& field, const std::set<int32_t>& held) {
  file::Field pruned = field;
  if (!field.is_struct() || field.is_leaf()) {
    return pruned;
  }
  pruned.children.clear();
  for (const auto& child : field.children) {
    std::set<int32_t> ids;
    CollectIds(child, &ids);
    if (std::any_of(ids.begin(), ids.end(), [&](int32_t id) { return held.count(id) != 0; })) {
      pruned.children.push_back(Prune(child, held));
    }
  }
  return pruned;
}

arrow::Result<std::shared_ptr<arrow::Array>> Nulls(const file::Field& field, int64_t rows,
                                                   arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto type, field.ArrowType());
  return arrow::MakeArrayOfNull(type, rows, pool);
}

// One struct of members that lie in several files; members of none are null.
arrow::Result<std::shared_ptr<arrow::Array>> MergeStructs(
    const file::Field& field, const std::vector<std::shared_ptr<arrow::Array>>& pieces,
    int64_t rows, arrow::MemoryPool* pool) {
  arrow::ArrayVector members;
  arrow::FieldVector fields;
  for (const auto& child : field.children) {
    std::vector<std::shared_ptr<arrow::Array>> found;
    for (const auto& piece : pieces) {
      const auto& parts = static_cast<const arrow::StructArray&>(*piece);
      if (auto member = parts.GetFieldByName(child.name)) {
        found.push_back(std::move(member));
      }
    }
    std::shared_ptr<arrow::Array> member;
    if (found.size() == 1) {
      member = found.front();
    } else if (found.empty()) {
      ARROW_ASSIGN_OR_RAISE(member, Nulls(child, rows, pool));
    } else {
      ARROW_ASSIGN_OR_RAISE(member, MergeStructs(child, found, rows, pool));
    }
    fields.push_back(arrow::field(child.name, member->type(), child.nullable));
    members.push_back(std::move(member));
  }
  const auto& first = *pieces.front();
  std::shared_ptr<arrow::Buffer> validity;
  if (first.null_count() > 0) {
    GLAIVE_CHECK_FORMAT(first.offset() == 0, "struct ", field.name,
                        " can't be merged at an offset");
    validity = first.null_bitmap();
  }
  ARROW_ASSIGN_OR_RAISE(auto merged, arrow::StructArray::Make(members, fields, std::move(validity),
                                                              first.null_count()));
  return std::shared_ptr<arrow::Array>(std::move(merged));
}

class JoinedReader final : public FragmentReader {
 public:
  JoinedReader(std::shared_ptr<const Snapshot> snapshot, const Fragment& fragment)
      : snapshot_(std::move(snapshot)), fragment_(fragment) {}

  arrow::Status Open(const file::Schema& projection) {
    columns_ = projection.fields();
    sources_.resize(columns_.size());
    const auto& pb = fragment_.pb();
    const DataFile* first = nullptr;
    for (const auto& data_file : pb.files()) {
      if (first == nullptr) {
        first = &data_file;
      }
      ARROW_RETURN_NOT_OK(AddFile(data_file));
    }
    ARROW_RETURN_NOT_OK(AddMissing(first));
    ChooseLargest();
    return arrow::Status::OK();
  }

  const Fragment& fragment() const override { return fragment_; }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(
      const RowRanges& physical_rows, const file::ReadOptions& options) const override {
    for (const auto& range : physical_rows) {
      GLAIVE_CHECK_ARGUMENT(range.start <= range.end && range.end <= fragment_.physical_rows(),
                            "rows ", range.start, "..", range.end, " of fragment ", fragment_.id(),
                            " with ", fragment_.physical_rows(), " rows");
    }
    const auto rows = static_cast<int64_t>(CountRows(physical_rows));
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const auto& part : parts_) {
      file::ReadOptions with_sidecars = options;
      with_sidecars.open_sidecar = [this, &part](const std::string& name) {
        return OpenSidecar(*part.data_file, name);
      };
      with_sidecars.open_in_base =
          [this](uint32_t base_id,
                 const std::string& path) -> arrow::Result<std::shared_ptr<io::ObjectReader>> {
        ARROW_ASSIGN_OR_RAISE(
            auto place, PlaceOf(snapshot_->store(), *snapshot_->session(), snapshot_->manifest().pb,
                                /*has_base_id=*/true, base_id));
        return place.store->Open(path);
      };
      auto batch = part.file->Read(part.projection, physical_rows, with_sidecars);
      if (!batch.ok()) {
        return WithContext(batch.status(), Concat("fragment ", fragment_.id()));
      }
      GLAIVE_CHECK_FORMAT((*batch)->num_rows() == rows, "fragment ", fragment_.id(),
                          ": a data file gave ", (*batch)->num_rows(), " rows, expected ", rows);
      batches.push_back(std::move(batch).ValueUnsafe());
    }
    return Join(batches, rows, options);
  }

  std::vector<uint64_t> PreferredCuts() const override {
    if (parts_.empty()) {
      return {fragment_.physical_rows()};
    }
    return parts_[largest_].file->PreferredCuts(parts_[largest_].projection);
  }

  double BytesPerRow() const override {
    double bytes = 0;
    for (const auto& part : parts_) {
      bytes += part.file->BytesPerRow(part.projection);
    }
    return bytes;
  }

 private:
  // A blob sidecar lies in a folder beside its data file, named like it.
  arrow::Result<std::shared_ptr<io::ObjectReader>> OpenSidecar(const DataFile& data_file,
                                                               const std::string& name) const {
    ARROW_ASSIGN_OR_RAISE(
        auto place, PlaceOf(snapshot_->store(), *snapshot_->session(), snapshot_->manifest().pb,
                            data_file.has_base_id(), data_file.base_id()));
    const std::string& path = data_file.path();
    const std::string stem = path.substr(0, path.rfind('.'));
    return place.store->Open(Concat(place.dataset_root ? "data/" : "", stem, "/", name));
  }

  // Takes from a data file what it holds of the projection.
  arrow::Status AddFile(const DataFile& data_file) {
    std::set<int32_t> held;
    for (const int32_t id : data_file.fields()) {
      if (id >= 0) {
        held.insert(id);
      }
    }
    Part part;
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::set<int32_t> ids;
      CollectIds(columns_[i], &ids);
      if (std::any_of(ids.begin(), ids.end(), [&](int32_t id) { return held.count(id) != 0; })) {
        sources_[i].push_back({parts_.size(), static_cast<int>(part.projection.columns.size())});
        part.projection.columns.push_back(Prune(columns_[i], held));
      }
    }
    if (part.projection.columns.empty()) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(part.file, OpenDataFile(*snapshot_, fragment_.pb(), data_file));
    part.projection.column_of_field = ColumnsOf(data_file);
    part.data_file = &data_file;
    parts_.push_back(std::move(part));
    return arrow::Status::OK();
  }

  // Columns of no file are null. A reader of any file makes them, of the type that its options ask
  // for; and a column that lies in one file whole is asked for whole, so that members of no file
  // are null too.
  arrow::Status AddMissing(const DataFile* first) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (sources_[i].size() == 1) {
        const Source& source = sources_[i].front();
        parts_[source.part].projection.columns[static_cast<size_t>(source.column)] = columns_[i];
      }
      GLAIVE_CHECK_FORMAT(sources_[i].size() < 2 || columns_[i].is_struct(), "fragment ",
                          fragment_.id(), ": parts of column ", columns_[i].name, " (",
                          columns_[i].logical_type, ") lie in ", sources_[i].size(), " files");
      if (!sources_[i].empty()) {
        continue;
      }
      GLAIVE_CHECK_FORMAT(columns_[i].nullable, "fragment ", fragment_.id(),
                          " has no data for column ", columns_[i].name, ", which can't be null");
      if (parts_.empty() && first != nullptr) {
        Part part;
        ARROW_ASSIGN_OR_RAISE(part.file, OpenDataFile(*snapshot_, fragment_.pb(), *first));
        part.data_file = first;
        parts_.push_back(std::move(part));
      }
      if (!parts_.empty()) {
        auto& columns = parts_.front().projection.columns;
        sources_[i].push_back({0, static_cast<int>(columns.size())});
        columns.push_back(columns_[i]);
      }
    }
    return arrow::Status::OK();
  }

  void ChooseLargest() {
    double most = -1;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const double bytes = parts_[i].file->BytesPerRow(parts_[i].projection);
      if (bytes > most) {
        most = bytes;
        largest_ = i;
      }
    }
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Join(
      const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int64_t rows,
      const file::ReadOptions& options) const {
    if (batches.size() == 1 && columns_.size() == static_cast<size_t>(batches[0]->num_columns()) &&
        in_order_of_first_part()) {
      return batches[0];
    }
    arrow::ArrayVector arrays;
    arrow::FieldVector fields;
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::shared_ptr<arrow::Array> array;
      ARROW_ASSIGN_OR_RAISE(auto field, columns_[i].ArrowField());
      if (sources_[i].empty()) {
        ARROW_ASSIGN_OR_RAISE(array, Nulls(columns_[i], rows, PoolOf(options)));
      } else if (sources_[i].size() == 1) {
        const Source& source = sources_[i].front();
        array = batches[source.part]->column(source.column);
        field = batches[source.part]->schema()->field(source.column);
      } else {
        std::vector<std::shared_ptr<arrow::Array>> pieces;
        for (const auto& source : sources_[i]) {
          pieces.push_back(batches[source.part]->column(source.column));
        }
        ARROW_ASSIGN_OR_RAISE(array, MergeStructs(columns_[i], pieces, rows, PoolOf(options)));
      }
      fields.push_back(field->WithType(array->type()));
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
  }

  static arrow::MemoryPool* PoolOf(const file::ReadOptions& options) {
    return options.pool != nullptr ? options.pool : arrow::default_memory_pool();
  }

  bool in_order_of_first_part() const {
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].size() != 1 || sources_[i].front().part != 0 ||
          sources_[i].front().column != static_cast<int>(i)) {
        return false;
      }
    }
    return true;
  }

  std::shared_ptr<const Snapshot> snapshot_;
  const Fragment& fragment_;  // of the snapshot
  std::vector<file::Field> columns_;
  std::vector<std::vector<Source>> sources_;  // of each column
  std::vector<Part> parts_;
  size_t largest_ = 0;
};

}  // namespace

arrow::Result<Place> PlaceOf(const std::shared_ptr<io::ObjectStore>& own, Session& session,
                             const lance::table::Manifest& manifest, bool has_base_id,
                             uint32_t base_id) {
  if (!has_base_id) {
    return Place{own, true};
  }
  for (const auto& base : manifest.base_paths()) {
    if (base.id() == base_id) {
      ARROW_ASSIGN_OR_RAISE(auto store, session.OpenBase(base.path()));
      return Place{std::move(store), base.is_dataset_root()};
    }
  }
  return Corruption("version ", manifest.version(), " of ", own->root(), " names the base path ",
                    base_id, ", which it does not list");
}

arrow::Result<std::shared_ptr<const file::FileReader>> OpenDataFile(
    const Snapshot& snapshot, const lance::table::DataFragment& fragment, const DataFile& file) {
  if (file.file_major_version() < 2) {
    return Unsupported("data file ", file.path(), " of fragment ", fragment.id(), " has version ",
                       file.file_major_version(), ".", file.file_minor_version(),
                       ", this build reads 2.0 and later");
  }
  ARROW_ASSIGN_OR_RAISE(auto place,
                        PlaceOf(snapshot.store(), *snapshot.session(), snapshot.manifest().pb,
                                file.has_base_id(), file.base_id()));
  const std::string path = place.dataset_root ? "data/" + file.path() : file.path();
  auto opened = snapshot.session()->OpenFile(*place.store, path);
  if (!opened.ok()) {
    return WithContext(opened.status(), Concat("data file ", path, " of fragment ", fragment.id()));
  }
  const auto& reader = *opened;
  GLAIVE_CHECK_FORMAT(file.file_size_bytes() == 0 || file.file_size_bytes() == reader->size_bytes(),
                      "data file ", path, " of fragment ", fragment.id(), ": ",
                      reader->size_bytes(), " bytes, expected ", file.file_size_bytes());
  GLAIVE_CHECK_FORMAT(
      fragment.physical_rows() == 0 || fragment.physical_rows() == reader->num_rows(), "data file ",
      path, " of fragment ", fragment.id(), ": ", reader->num_rows(), " rows, expected ",
      fragment.physical_rows());
  return reader;
}

arrow::Result<std::shared_ptr<FragmentReader>> OpenFragmentReader(
    std::shared_ptr<const Snapshot> snapshot, const Fragment& fragment,
    const file::Schema& projection) {
  auto reader = std::make_shared<JoinedReader>(std::move(snapshot), fragment);
  ARROW_RETURN_NOT_OK(reader->Open(projection));
  return std::shared_ptr<FragmentReader>(std::move(reader));
}

}  // namespace glaive::table
