#include "query/filter.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "base/status.h"
#include "expr/syntax.h"
#include "query/compute.h"

namespace glaive::query {

namespace {

using expr::BoundExpression;
using expr::Node;
using expr::NodeKind;
using expr::NodePtr;
using expr::Op;

/// True if the term has a value for every row, so that it may be looked at before terms that were
/// written ahead of it (as in b <> 0 AND a / b > 1).
bool NeverFails(const Node& node) {
  switch (node.kind) {
    case NodeKind::kLiteral:
    case NodeKind::kColumn:
    case NodeKind::kParameter:
    case NodeKind::kBetween:
    case NodeKind::kIn:
    case NodeKind::kLike:
    case NodeKind::kIs:
    case NodeKind::kMember:
      break;
    case NodeKind::kUnary:
      if (node.op != Op::kNot) {
        return false;
      }
      break;
    case NodeKind::kBinary:
      if (node.op < Op::kOr || node.op > Op::kNotDistinct) {
        return false;
      }
      break;
    default:
      return false;
  }
  return std::all_of(node.children.begin(), node.children.end(),
                     [](const NodePtr& child) { return NeverFails(*child); });
}

/// Bytes of a value as read, roughly.
double WidthOf(const arrow::DataType& type) {
  constexpr double kText = 32;
  switch (type.id()) {
    case arrow::Type::STRUCT: {
      double width = 0;
      for (const auto& field : type.fields()) {
        width += WidthOf(*field->type());
      }
      return width;
    }
    case arrow::Type::FIXED_SIZE_LIST:
      return WidthOf(*type.field(0)->type()) *
             static_cast<const arrow::FixedSizeListType&>(type).list_size();
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::MAP:
      return 8 * WidthOf(*type.field(0)->type());
    case arrow::Type::DICTIONARY:
      return 4;
    default:
      return arrow::is_fixed_width(type.id())
                 ? static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8.0
                 : kText;
  }
}

struct Term {
  BoundExpression bound;
  bool never_fails = false;
  double width = 0;
};

/// The value of a literal or a parameter; nullptr for anything else, or without such a parameter.
std::shared_ptr<arrow::Scalar> ConstantOf(const Node& node, const Parameters& parameters) {
  if (node.kind == NodeKind::kLiteral) {
    return node.literal;
  }
  if (node.kind != NodeKind::kParameter) {
    return nullptr;
  }
  if (!node.name.empty()) {
    const auto found = parameters.named.find(node.name);
    return found == parameters.named.end() ? nullptr : found->second.scalar();
  }
  const auto at = static_cast<size_t>(node.ordinal) - 1;
  return at < parameters.positional.size() ? parameters.positional[at].scalar() : nullptr;
}

/// Adds the row number that a constant stands for, if any; false if the constant is none that can
/// be told here.
bool AddRowNumber(const std::shared_ptr<arrow::Scalar>& constant, std::vector<uint64_t>* numbers) {
  if (constant == nullptr) {
    return false;
  }
  if (!constant->is_valid) {
    return true;  // equal to nothing
  }
  if (!arrow::is_integer(constant->type->id())) {
    return false;
  }
  if (constant->type->id() == arrow::Type::UINT64) {
    numbers->push_back(static_cast<const arrow::UInt64Scalar&>(*constant).value);
    return true;
  }
  const auto wide = constant->CastTo(arrow::int64());
  if (!wide.ok()) {
    return false;
  }
  const int64_t value = static_cast<const arrow::Int64Scalar&>(**wide).value;
  if (value >= 0) {
    numbers->push_back(static_cast<uint64_t>(value));
  }
  return true;
}

/// The numbers that `column` = … or `column` IN (…) names; nullopt if the term is not of this form.
std::optional<std::vector<uint64_t>> NamedRows(const Node& term, const char* column,
                                               const Parameters& parameters) {
  const auto is_column = [column](const Node& node) {
    return node.kind == NodeKind::kColumn && node.path.size() == 1 && node.path[0] == column;
  };
  std::vector<uint64_t> numbers;
  if (term.kind == NodeKind::kBinary && term.op == Op::kEq) {
    const Node& left = *term.children[0];
    const Node& right = *term.children[1];
    if (is_column(left)
            ? AddRowNumber(ConstantOf(right, parameters), &numbers)
            : is_column(right) && AddRowNumber(ConstantOf(left, parameters), &numbers)) {
      return numbers;
    }
    return std::nullopt;
  }
  if (term.kind != NodeKind::kIn || term.negated || !is_column(*term.children[0])) {
    return std::nullopt;
  }
  for (size_t i = 1; i < term.children.size(); ++i) {
    if (!AddRowNumber(ConstantOf(*term.children[i], parameters), &numbers)) {
      return std::nullopt;
    }
  }
  return numbers;
}

/// Where conjunction terms name rows, their addresses, sorted.
arrow::Result<std::optional<std::vector<uint64_t>>> NamedAddresses(
    const table::Snapshot& snapshot, const std::vector<NodePtr>& terms,
    const Parameters& parameters) {
  std::optional<std::vector<uint64_t>> named;
  for (const auto& term : terms) {
    std::optional<std::vector<uint64_t>> found;
    if (FindMeta(snapshot.schema(), kRowAddressColumn).has_value()) {
      found = NamedRows(*term, kRowAddressColumn, parameters);
    }
    if (!found.has_value() && FindMeta(snapshot.schema(), kRowIdColumn).has_value()) {
      const auto ids = NamedRows(*term, kRowIdColumn, parameters);
      if (ids.has_value()) {
        ARROW_ASSIGN_OR_RAISE(const auto resolved, snapshot.ResolveRowIds(*ids));
        found.emplace();
        for (const auto& address : resolved) {
          if (address.has_value()) {
            found->push_back(*address);
          }
        }
      }
    }
    if (found.has_value() && (!named.has_value() || found->size() < named->size())) {
      named = std::move(found);
    }
  }
  if (named.has_value()) {
    std::sort(named->begin(), named->end());
    named->erase(std::unique(named->begin(), named->end()), named->end());
  }
  return named;
}

arrow::Result<std::shared_ptr<arrow::BooleanArray>> Both(const arrow::BooleanArray& a,
                                                         const arrow::BooleanArray& b,
                                                         arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto bits,
                        arrow::internal::BitmapAnd(pool, a.values()->data(), a.offset(),
                                                   b.values()->data(), b.offset(), a.length(), 0));
  return std::make_shared<arrow::BooleanArray>(a.length(), std::move(bits));
}

/// Evaluates the terms one after the other. The mask is nullptr if none was false.
arrow::Result<std::shared_ptr<arrow::BooleanArray>> MaskOf(
    const std::vector<BoundExpression>& terms, const arrow::RecordBatch& rows,
    arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::BooleanArray> mask;
  for (const auto& term : terms) {
    ARROW_ASSIGN_OR_RAISE(auto passed, term.EvaluateFilter(rows));
    if (mask != nullptr) {
      ARROW_ASSIGN_OR_RAISE(mask, Both(*mask, *passed, pool));
    } else {
      mask = std::move(passed);
    }
    if (mask->true_count() == 0) {
      break;
    }
  }
  return mask;
}

}  // namespace

arrow::Result<std::shared_ptr<const RowFilter>> RowFilter::Make(const table::Snapshot& snapshot,
                                                                const Clause& clause,
                                                                const Parameters& parameters,
                                                                int64_t now_nanos) {
  auto filter = std::make_shared<RowFilter>();
  ARROW_RETURN_NOT_OK(InClause(filter->Bind(snapshot, clause, parameters, now_nanos), "filter"));
  return std::shared_ptr<const RowFilter>(std::move(filter));
}

arrow::Status RowFilter::Bind(const table::Snapshot& snapshot, const Clause& clause,
                              const Parameters& parameters, int64_t now_nanos) {
  ARROW_ASSIGN_OR_RAISE(const auto expression, clause.Parse());
  ARROW_ASSIGN_OR_RAISE(const auto schema,
                        ExpressionSchema(snapshot, file::BlobMode::kDescriptors, {}));
  expr::BindOptions options;
  options.parameters = &parameters;
  options.now_nanos = now_nanos;
  options.pool = snapshot.session()->options().pool;
  // As a whole first: that is what errors and explanations speak of.
  ARROW_ASSIGN_OR_RAISE(const auto whole, expr::BindFilter(expression.node(), *schema, options));
  text_ = whole.ToString();
  const auto parts = expr::SplitConjunction(expression.node());
  std::vector<Term> terms;
  const auto no_columns = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  for (const auto& part : parts) {
    ARROW_ASSIGN_OR_RAISE(auto bound, expr::BindFilter(part, *schema, options));
    if (bound.is_constant()) {
      ARROW_ASSIGN_OR_RAISE(const auto value, bound.EvaluateFilter(*no_columns));
      if (value->true_count() == 0) {
        always_false_ = true;
        return arrow::Status::OK();
      }
      continue;
    }
    Term term{std::move(bound), NeverFails(*part), 0};
    for (const auto& path : term.bound.columns()) {
      const auto field = schema->GetFieldByName(path[0]);
      if (field != nullptr && !FindMeta(snapshot.schema(), path[0]).has_value()) {
        std::shared_ptr<arrow::DataType> type = field->type();
        for (size_t i = 1; i < path.size() && type->id() == arrow::Type::STRUCT; ++i) {
          const auto member = static_cast<const arrow::StructType&>(*type).GetFieldByName(path[i]);
          if (member == nullptr) {
            break;
          }
          type = member->type();
        }
        term.width += WidthOf(*type);
      }
    }
    terms.push_back(std::move(term));
  }
  std::stable_sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) {
    if (a.never_fails != b.never_fails) {
      return a.never_fails;
    }
    return a.never_fails && a.width < b.width;
  });
  ARROW_ASSIGN_OR_RAISE(addresses_, NamedAddresses(snapshot, parts, parameters));

  std::vector<const BoundExpression*> all_terms;
  for (const auto& term : terms) {
    all_terms.push_back(&term.bound);
  }
  const NeededColumns needed = query::ColumnsOf(snapshot.schema(), all_terms, {});
  ARROW_ASSIGN_OR_RAISE(
      all_, MakeReadSet(snapshot, needed.paths, needed.metas, file::BlobMode::kDescriptors));
  // A step of its own for what reads more, and for what must only see rows that passed before.
  constexpr double kNarrow = 16;
  std::vector<bool> read(all_.projection.fields().size(), false);
  std::vector<Meta> metas;
  double step_width = 0;
  bool step_may_fail = false;
  std::vector<size_t> fields;
  std::vector<Meta> new_metas;
  arrow::FieldVector held;
  const auto finish_step = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(steps_.back().adds, PartOf(snapshot, all_, fields, new_metas));
    const auto& added = steps_.back().adds.schema->fields();
    held.insert(held.end(), added.begin(), added.end());
    steps_.back().held_schema = arrow::schema(held);
    fields.clear();
    new_metas.clear();
    return arrow::Status::OK();
  };
  for (auto& term : terms) {
    const bool apart = !steps_.empty() && (!term.never_fails || step_may_fail ||
                                           (step_width > 0 && term.width > kNarrow));
    if (steps_.empty() || apart) {
      if (!steps_.empty()) {
        ARROW_RETURN_NOT_OK(finish_step());
      }
      steps_.emplace_back();
      step_width = 0;
    }
    step_may_fail = !term.never_fails;
    step_width += std::max(term.width, 1.0);
    for (const auto& path : term.bound.columns()) {
      const auto meta = FindMeta(snapshot.schema(), path[0]);
      if (meta.has_value()) {
        if (std::find(metas.begin(), metas.end(), *meta) == metas.end()) {
          metas.push_back(*meta);
          new_metas.push_back(*meta);
        }
        continue;
      }
      for (size_t i = 0; i < read.size(); ++i) {
        if (!read[i] && all_.projection.fields()[i].name == path[0]) {
          read[i] = true;
          fields.push_back(i);
        }
      }
    }
    steps_.back().terms.push_back(std::move(term.bound));
  }
  if (steps_.empty()) {
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(finish_step());
  if (steps_.size() == 1) {
    // The same columns; readers of all of them are open already where scans are cut.
    steps_[0].held_schema = all_.schema;
  }
  return arrow::Status::OK();
}

arrow::Result<RowFilter::Outcome> RowFilter::Apply(FragmentAccess* access, const RowRanges& rows,
                                                   const std::vector<int>& keep,
                                                   arrow::MemoryPool* pool) const {
  arrow::MemoryPool* buffers = pool != nullptr ? pool : arrow::default_memory_pool();
  Outcome outcome;
  outcome.rows = rows;
  outcome.num_rows = CountRows(rows);
  arrow::ArrayVector held;
  std::shared_ptr<arrow::RecordBatch> batch;
  for (const auto& step : steps_) {
    if (outcome.num_rows == 0) {
      return outcome;
    }
    ARROW_ASSIGN_OR_RAISE(const auto added, ReadRows(steps_.size() == 1 ? all_ : step.adds, access,
                                                     outcome.rows, pool));
    held.insert(held.end(), added->columns().begin(), added->columns().end());
    batch =
        arrow::RecordBatch::Make(step.held_schema, static_cast<int64_t>(outcome.num_rows), held);
    ARROW_ASSIGN_OR_RAISE(const auto mask, MaskOf(step.terms, *batch, buffers));
    const auto passed = static_cast<uint64_t>(mask->true_count());
    if (passed == outcome.num_rows) {
      continue;
    }
    outcome.num_rows = passed;
    if (passed == 0) {
      outcome.rows.clear();
      return outcome;
    }
    outcome.rows = SelectRows(outcome.rows, *mask);
    const bool last = &step == &steps_.back();
    if (last && keep.empty()) {
      batch.reset();
    } else if (last) {
      // Only what is handed on.
      std::vector<int> places;
      for (const int field : keep) {
        places.push_back(step.held_schema->GetFieldIndex(all_.schema->field(field)->name()));
      }
      ARROW_ASSIGN_OR_RAISE(const auto chosen, batch->SelectColumns(places));
      ARROW_ASSIGN_OR_RAISE(outcome.kept, FilterRows(chosen, mask, pool));
      return outcome;
    } else {
      ARROW_ASSIGN_OR_RAISE(batch, FilterRows(batch, mask, pool));
      held = batch->columns();
    }
  }
  if (!keep.empty() && outcome.num_rows > 0) {
    std::vector<int> places;
    for (const int field : keep) {
      places.push_back(batch->schema()->GetFieldIndex(all_.schema->field(field)->name()));
    }
    ARROW_ASSIGN_OR_RAISE(outcome.kept, batch->SelectColumns(places));
  }
  return outcome;
}

}  // namespace glaive::query
