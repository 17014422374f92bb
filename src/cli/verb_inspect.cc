// glaive inspect URI TABLE: fragments, data files, columns, pages and their encodings.
#include "base/status.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

Json PageJson(const PageLayout& page) {
  return {{"rows", page.num_rows},
          {"bytes", page.num_bytes},
          {"encoding", page.encoding},
          {"buffer_offsets", page.buffer_offsets},
          {"buffer_bytes", page.buffer_bytes}};
}

Json ColumnJson(const ColumnLayout& column) {
  Json json = {{"path", column.path},
               {"logical_type", column.logical_type},
               {"column", column.column},
               {"bytes", column.num_bytes},
               {"pages", Json::array()}};
  for (const auto& page : column.pages) {
    json["pages"].push_back(PageJson(page));
  }
  return json;
}

Json FileJson(const DataFileLayout& file) {
  Json json = {{"path", file.path},
               {"version", file.version},
               {"rows", file.num_rows},
               {"bytes", file.num_bytes},
               {"columns", Json::array()}};
  for (const auto& column : file.columns) {
    json["columns"].push_back(ColumnJson(column));
  }
  return json;
}

Json LayoutJson(const TableLayout& layout) {
  Json json = {{"version", layout.version},
               {"manifest", layout.manifest},
               {"manifest_bytes", layout.manifest_bytes},
               {"reader_feature_flags", layout.reader_feature_flags},
               {"writer_feature_flags", layout.writer_feature_flags},
               {"data_format", layout.data_format},
               {"stable_row_ids", layout.stable_row_ids},
               {"fragments", Json::array()}};
  for (const auto& fragment : layout.fragments) {
    Json files = Json::array();
    for (const auto& file : fragment.files) {
      files.push_back(FileJson(file));
    }
    json["fragments"].push_back({{"id", fragment.id},
                                 {"physical_rows", fragment.physical_rows},
                                 {"deleted_rows", fragment.deleted_rows},
                                 {"deletion_file", fragment.deletion_file},
                                 {"files", files}});
  }
  return json;
}

// Pages of a column that follow each other with the same encoding are one line.
void AppendPages(const ColumnLayout& column, const std::string& indent, std::string* out) {
  for (size_t first = 0; first < column.pages.size();) {
    size_t end = first;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    while (end < column.pages.size() &&
           column.pages[end].encoding == column.pages[first].encoding) {
      rows += column.pages[end].num_rows;
      bytes += column.pages[end].num_bytes;
      ++end;
    }
    const std::string which =
        end - first == 1 ? Concat("page ", first) : Concat("pages ", first, "–", end - 1);
    out->append(Concat(indent, end == column.pages.size() ? "└ " : "├ ", which, "  ",
                       WithThousands(rows), " rows  ", HumanBytes(bytes), "  ",
                       column.pages[first].encoding, "\n"));
    first = end;
  }
}

void AppendFile(const DataFileLayout& file, bool last_file, std::string* out) {
  const std::string indent = last_file ? "     " : "  │  ";
  out->append(Concat(last_file ? "  └ " : "  ├ ", file.path, "  ", file.version, "  ",
                     WithThousands(file.num_rows), " rows  ", HumanBytes(file.num_bytes), "\n"));
  for (size_t c = 0; c < file.columns.size(); ++c) {
    const auto& column = file.columns[c];
    const bool last = c + 1 == file.columns.size();
    out->append(Concat(indent, last ? "└ " : "├ ", column.path, "  ", column.logical_type, "  ",
                       HumanBytes(column.num_bytes), "\n"));
    AppendPages(column, indent + (last ? "   " : "│  "), out);
  }
}

std::string LayoutText(const std::string& name, const TableLayout& layout) {
  std::string out =
      Concat("table ", name, "  version ", layout.version, "  data format ", layout.data_format,
             layout.stable_row_ids ? "  stable row ids" : "", "\n");
  out += Concat("manifest ", layout.manifest, "  ", HumanBytes(layout.manifest_bytes),
                "  feature flags ", layout.reader_feature_flags, "/", layout.writer_feature_flags,
                " (reader/writer)\n");
  for (const auto& fragment : layout.fragments) {
    out += Concat("fragment ", fragment.id, "  ", WithThousands(fragment.physical_rows), " rows");
    if (fragment.deleted_rows > 0) {
      out += Concat(", ", WithThousands(fragment.deleted_rows), " deleted (",
                    fragment.deletion_file, ")");
    }
    out += "\n";
    for (size_t f = 0; f < fragment.files.size(); ++f) {
      AppendFile(fragment.files[f], f + 1 == fragment.files.size(), &out);
    }
  }
  return out;
}

class InspectVerb final : public Verb {
  const char* name() const override { return "inspect"; }

  const char* summary() const override { return "show files, pages, encodings and sizes"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto layout, table.Inspect());
    return context.Print(context.json ? Line(LayoutJson(layout))
                                      : LayoutText(at_.at.table, layout));
  }

  ReadArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeInspectVerb() {
  return std::make_unique<InspectVerb>();
}

}  // namespace glaive::cli
