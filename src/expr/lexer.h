// Tokens of an expression's text, and a cursor over them. Private to the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

namespace glaive::expr {

enum class TokenKind {
  kEnd,
  kWord,        ///< bare identifier or keyword: `text` as written, `word` in lower case
  kQuoted,      ///< quoted identifier: `text` without its quotes
  kInteger,     ///< digits without underscores
  kDecimal,     ///< number with a point or an exponent
  kText,        ///< 'text', decoded
  kBinary,      ///< X'..' or 0x..: the bytes
  kPositional,  ///< `?` (empty) or `$1` (its digits)
  kNamed,       ///< `:name` or `$name`
  kSymbol,      ///< operator or punctuation
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t begin = 0;  ///< bytes
  uint32_t end = 0;
  std::string text;
  std::string word;
};

/// kInvalidArgument: "<what> at line .., column ..", with the place shown.
arrow::Status SyntaxError(std::string_view sql, uint32_t begin, uint32_t end,
                          std::string_view what);

/// One token at a time. Cheap to copy: a copy looks ahead.
class Cursor {
 public:
  /// `sql` must outlive the cursor.
  explicit Cursor(std::string_view sql) : sql_(sql) {}

  /// Steps to the next token. To be called once before the first.
  arrow::Status Advance();

  const Token& token() const { return token_; }

  std::string_view sql() const { return sql_; }

  /// End of the token before the current one.
  uint32_t last_end() const { return last_end_; }

  bool IsSymbol(std::string_view symbol) const {
    return token_.kind == TokenKind::kSymbol && token_.text == symbol;
  }

  bool IsWord(std::string_view word) const {
    return token_.kind == TokenKind::kWord && token_.word == word;
  }

  bool IsName() const {
    return token_.kind == TokenKind::kWord || token_.kind == TokenKind::kQuoted;
  }

  /// Steps over it if it is there.
  arrow::Result<bool> AcceptSymbol(std::string_view symbol);
  arrow::Result<bool> AcceptWord(std::string_view word);
  /// Fails if it is not there.
  arrow::Status ExpectSymbol(std::string_view symbol);
  arrow::Status ExpectWord(std::string_view word);

  /// "expected <expected>, found <token> at line .., column .."
  arrow::Status Unexpected(std::string_view expected) const;
  /// "<what> at line .., column .." of the current token.
  arrow::Status Fail(std::string_view what) const;

 private:
  arrow::Status SkipBlanks();
  arrow::Status LexWord();
  arrow::Status LexNumber();
  arrow::Status LexHex();
  arrow::Status LexQuoted(char quote, std::string_view what);
  arrow::Status LexBinaryText();
  arrow::Status LexParameter(char sign);
  arrow::Status LexSymbol();
  arrow::Status FailAt(size_t begin, size_t end, std::string_view what) const;

  char At(size_t position) const { return position < sql_.size() ? sql_[position] : '\0'; }

  std::string_view sql_;
  size_t at_ = 0;
  uint32_t last_end_ = 0;
  Token token_;
};

/// Letters, digits and underscores, not starting with a digit; any character beyond ASCII counts as
/// a letter.
bool IsPlainIdentifier(std::string_view name);
/// ASCII only.
std::string LowerCase(std::string_view text);

}  // namespace glaive::expr
