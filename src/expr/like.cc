#include "expr/like.h"

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "base/status.h"
#include "expr/compare.h"
#include "expr/regex.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

// A LIKE pattern cut into steps. Matching goes back to the last % only, so it takes at most
// length of text times length of pattern.
class LikePattern {
 public:
  LikePattern(std::string_view pattern, char escape) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      if (c == escape && i + 1 < pattern.size()) {
        Byte(pattern[++i]);
      } else if (c == '%') {
        if (steps_.empty() || steps_.back().kind != Step::kRun) steps_.push_back({Step::kRun, 0});
      } else if (c == '_') {
        steps_.push_back({Step::kAny, 0});
        has_any_ = true;
      } else {
        Byte(c);
      }
    }
  }

  // The forms for which Arrow has kernels. `text` is what must be found.
  enum Form { kGeneral, kEqual, kPrefix, kSuffix, kInside, kEverything };

  Form Classify(std::string* text) const {
    if (has_any_) return kGeneral;
    const size_t n = steps_.size();
    const bool front = n > 0 && steps_.front().kind == Step::kRun;
    const bool back = n > 0 && steps_.back().kind == Step::kRun;
    if (n == 1 && front) return kEverything;
    for (size_t i = front ? 1 : 0; i < n - (back ? 1 : 0); ++i) {
      if (steps_[i].kind == Step::kRun) return kGeneral;
      *text += steps_[i].byte;
    }
    if (front && back) return kInside;
    return front ? kSuffix : back ? kPrefix : kEqual;
  }

  bool Matches(std::string_view text) const {
    size_t at = 0;
    size_t step = 0;
    size_t retry_step = steps_.size() + 1;  // no % seen
    size_t retry_at = 0;
    while (at < text.size()) {
      if (step < steps_.size() && steps_[step].kind == Step::kRun) {
        retry_step = ++step;
        retry_at = at;
      } else if (step < steps_.size() && steps_[step].kind == Step::kAny) {
        at += Width(text, at);
        ++step;
      } else if (step < steps_.size() && steps_[step].byte == text[at]) {
        ++at;
        ++step;
      } else if (retry_step <= steps_.size()) {
        retry_at += Width(text, retry_at);
        at = retry_at;
        step = retry_step;
      } else {
        return false;
      }
    }
    while (step < steps_.size() && steps_[step].kind == Step::kRun) ++step;
    return step == steps_.size();
  }

 private:
  struct Step {
    enum Kind { kByte, kAny, kRun } kind;

    char byte;
  };

  void Byte(char c) { steps_.push_back({Step::kByte, c}); }

  // Bytes of the character at `at`.
  static size_t Width(std::string_view text, size_t at) {
    size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
  }

  std::vector<Step> steps_;
  bool has_any_ = false;
};

// Tells whether a text matches; made once per pattern.
using Matcher = std::function<arrow::Result<bool>(std::string_view)>;

arrow::Result<Matcher> MakeMatcher(Op op, std::string_view pattern, char escape) {
  if (op == Op::kLike) {
    auto like = std::make_shared<LikePattern>(pattern, escape);
    return Matcher([like](std::string_view text) { return like->Matches(text); });
  }
  RegexOptions options;
  options.fold = op == Op::kILike || op == Op::kRegexFold;
  std::string text(pattern);
  if (op == Op::kILike || op == Op::kSimilarTo) {
    text = op == Op::kILike ? LikeToRegex(pattern, escape) : SimilarToRegex(pattern, escape);
    options.whole = options.dot_all = true;
    options.native = op == Op::kILike;
  }
  ARROW_ASSIGN_OR_RAISE(auto regex, Regex::Compile(text, options));
  return Matcher([regex](std::string_view value) { return regex->Matches(value); });
}

std::string_view TextAt(const arrow::Array& array, int64_t row) {
  if (array.type_id() == Type::LARGE_STRING) {
    return static_cast<const arrow::LargeStringArray&>(array).GetView(row);
  }
  return static_cast<const arrow::StringArray&>(array).GetView(row);
}

arrow::Result<Datum> MatchAll(const arrow::Array& texts, const Matcher& matcher, bool negated,
                              arrow::MemoryPool* pool) {
  arrow::BooleanBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      ARROW_ASSIGN_OR_RAISE(const bool matches, matcher(TextAt(texts, i)));
      builder.UnsafeAppend(matches != negated);
    }
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

// Patterns from a column: runs of equal ones are compiled once.
arrow::Result<Datum> MatchEach(Op op, const Operands& operands, char escape, bool negated,
                               const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(ArrayPtr texts, AsArray(operands[0], scope));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr patterns, AsArray(operands[1], scope));
  arrow::BooleanBuilder builder(scope.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(texts->length()));
  std::optional<std::string> current;
  Matcher matcher;
  for (int64_t i = 0; i < texts->length(); ++i) {
    if (texts->IsNull(i) || patterns->IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const std::string_view pattern = TextAt(*patterns, i);
    if (!current || *current != pattern) {
      ARROW_ASSIGN_OR_RAISE(matcher, MakeMatcher(op, pattern, escape));
      current = std::string(pattern);
    }
    ARROW_ASSIGN_OR_RAISE(const bool matches, matcher(TextAt(*texts, i)));
    builder.UnsafeAppend(matches != negated);
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

// Looks for `wanted`, which is not empty, in all texts at once; finds that cross the border of two
// are passed over.
template <typename Offset>
void FindInside(const arrow::ArrayData& texts, std::string_view wanted, uint8_t* bits) {
  if (texts.length == 0 || texts.buffers[2] == nullptr) return;
  const auto* offsets = texts.GetValues<Offset>(1);
  const auto* bytes = reinterpret_cast<const char*>(texts.buffers[2]->data());
  Offset at = offsets[0];
  const Offset end = offsets[texts.length];
  int64_t row = 0;
  while (at < end) {
    const void* found =
        memmem(bytes + at, static_cast<size_t>(end - at), wanted.data(), wanted.size());
    if (found == nullptr) return;
    const auto place = static_cast<Offset>(static_cast<const char*>(found) - bytes);
    while (offsets[row + 1] <= place) ++row;
    if (static_cast<size_t>(offsets[row + 1] - place) >= wanted.size()) {
      arrow::bit_util::SetBit(bits, row);
    }
    // On with the next one that is long enough; so a find that was in vain is made up for.
    for (++row; row < texts.length; ++row) {
      if (static_cast<size_t>(offsets[row + 1] - offsets[row]) >= wanted.size()) break;
    }
    at = offsets[row];
  }
}

arrow::Result<Datum> Inside(const std::string& wanted, const arrow::Array& texts,
                            const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(texts.length(), scope.pool));
  if (texts.type_id() == Type::LARGE_STRING) {
    FindInside<int64_t>(*texts.data(), wanted, bits->mutable_data());
  } else {
    FindInside<int32_t>(*texts.data(), wanted, bits->mutable_data());
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (texts.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(
        validity, arrow::internal::CopyBitmap(scope.pool, texts.null_bitmap_data(), texts.offset(),
                                              texts.length()));
  }
  return Datum(ArrayPtr(std::make_shared<arrow::BooleanArray>(
      texts.length(), std::move(bits), std::move(validity), texts.null_count())));
}

arrow::Result<Datum> MatchForm(LikePattern::Form form, const std::string& text, const Datum& values,
                               const Scope& scope) {
  const arrow::compute::MatchSubstringOptions options(text);
  switch (form) {
    case LikePattern::kEqual: {
      ARROW_ASSIGN_OR_RAISE(Datum wanted, CastTo(Datum(text), values.type(), false, scope.pool));
      return Run("equal", {values, wanted}, scope);
    }
    case LikePattern::kPrefix:
      return Run("starts_with", {values}, scope, &options);
    case LikePattern::kSuffix:
      return Run("ends_with", {values}, scope, &options);
    case LikePattern::kInside:
      if (values.is_array() && !text.empty()) return Inside(text, *values.make_array(), scope);
      return Run("match_substring", {values}, scope, &options);
    default:
      return Run("equal", {values, values}, scope);
  }
}

arrow::Result<BoundPtr> WithConstant(Op op, std::shared_ptr<BoundNode> node,
                                     std::string_view pattern, char escape, bool negated,
                                     const Scope& folding) {
  if (op == Op::kLike) {
    std::string text;
    const LikePattern::Form form = LikePattern(pattern, escape).Classify(&text);
    if (form != LikePattern::kGeneral) {
      node->eager = [form, text, negated](const Operands& operands,
                                          const Scope& scope) -> arrow::Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(Datum found, MatchForm(form, text, operands[0], scope));
        return negated ? Run("invert", {found}, scope) : found;
      };
      return Finish(std::move(node), folding);
    }
  }
  ARROW_ASSIGN_OR_RAISE(Matcher matcher, MakeMatcher(op, pattern, escape));
  node->eager = [matcher, negated](const Operands& operands,
                                   const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr texts, AsArray(operands[0], scope));
    return MatchAll(*texts, matcher, negated, scope.pool);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> AsText(const BoundPtr& node, Op op, const Scope& folding) {
  if (!IsText(*node->type) && node->type->id() != Type::NA) {
    return TypeMismatch(OpText(op), " takes text; ", Print(*node, 100), " is ",
                        node->type->ToString(), "; CAST it to string");
  }
  const bool plain = node->type->id() == Type::STRING || node->type->id() == Type::LARGE_STRING;
  if (plain) return node;
  const bool view = node->type->id() == Type::STRING_VIEW;
  return MakeCast(node, view ? arrow::large_utf8() : arrow::utf8(), false, folding);
}

// Bytes of the [:name:] that the text begins with; 0 if it does not.
size_t NamedClass(std::string_view text) {
  const size_t end = text.substr(0, 2) == "[:" ? text.find(":]", 2) : std::string_view::npos;
  return end == std::string_view::npos ? 0 : end + 2;
}

}  // namespace

std::string LikeToRegex(std::string_view pattern, char escape) {
  // A % takes as little as the text up to the next % allows, and never more: going back to it would
  // not help, so it need not be tried. The last one is tried from the end.
  std::string regex;
  std::string piece;
  bool open = false;  // a % is in front of the piece
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == escape && i + 1 < pattern.size()) {
      piece += QuoteRegex(pattern.substr(++i, 1));
    } else if (c == '%') {
      if (!piece.empty()) regex += open ? "(?>.*?" + piece + ")" : piece;
      piece.clear();
      open = true;
    } else {
      piece += c == '_' ? "." : QuoteRegex(std::string_view(&c, 1));
    }
  }
  return regex + (open ? ".*" : "") + piece;
}

std::string SimilarToRegex(std::string_view pattern, char escape) {
  std::string regex;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == escape && i + 1 < pattern.size()) {
      regex += QuoteRegex(pattern.substr(++i, 1));
    } else if (in_class) {
      const size_t named = c == '[' ? NamedClass(pattern.substr(i)) : 0;
      if (c == ']') in_class = false;
      if (named > 0) {
        regex += pattern.substr(i, named);
        i += named - 1;
      } else {
        if (c == '\\' || c == '[' || c == '&' || c == '~') regex += '\\';
        regex += c;
      }
    } else if (c == '[') {
      in_class = true;
      regex += c;
    } else if (c == '%') {
      regex += ".*";
    } else if (c == '_') {
      regex += '.';
    } else if (c != '\0' && std::strchr("|*+?{}()", c) != nullptr) {
      regex += c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      regex += c;  // a byte of a longer character
    } else {
      regex += QuoteRegex(std::string_view(&c, 1));
    }
  }
  return regex;
}

arrow::Result<BoundPtr> BindLike(Op op, const BoundPtr& value, const BoundPtr& pattern, char escape,
                                 bool negated, const Scope& folding) {
  if (escape == 0) escape = '\\';
  ARROW_ASSIGN_OR_RAISE(BoundPtr text, AsText(value, op, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr wanted, AsText(pattern, op, folding));
  const std::string word = Concat(negated ? " NOT " : " ", OpText(op), " ");
  auto node = MakeOperation(arrow::boolean(), {text, wanted}, "(", word, ")");
  node->costly = true;
  if (wanted->value == nullptr || !wanted->value->is_valid) {
    node->can_fail = op != Op::kLike;
    node->eager = [=](const Operands& operands, const Scope& scope) {
      return MatchEach(op, operands, escape, negated, scope);
    };
    return Finish(std::move(node), folding);
  }
  node->can_fail = op != Op::kLike && op != Op::kILike;  // by too many steps
  const auto& constant = static_cast<const arrow::BaseBinaryScalar&>(*wanted->value);
  return WithConstant(op, std::move(node), constant.view(), escape, negated, folding);
}

}  // namespace glaive::expr
