// The built-in embedder: text to a vector of hashed character n-grams. It needs no model, gives the
// same vector on every machine, and brings texts near each other that share spelling, word stems
// and phrases.
//
// hash-ngram, version 1. The text is split into words: maximal runs of letters and digits, where
// ASCII letters are lowered and every code point from U+0080 counts as a letter (bytes that are not
// UTF-8 separate words). Each word w stands as "_w_" with U+005F at both ends. Its features are all
// sequences of 3, 4 and 5 code points of that form, and the whole form if it is shorter than 3. A
// feature that occurs n times in the text has the weight 1 + ln(n). With h = XXH64 (seed 0) of the
// feature's UTF-8 bytes, the weight is added to component h mod dim, negated if the highest bit of
// h is set. The sum is divided by its Euclidean length. A text without words gives the null vector:
// no value at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::embed {

inline constexpr std::string_view kNgramEmbedderName = "hash-ngram";
inline constexpr int32_t kDefaultNgramDim = 256;
inline constexpr int32_t kMaxNgramDim = 65536;

/// One thread at a time (it keeps scratch memory); copies are independent.
class NgramEmbedder {
 public:
  /// \param dim 8 to kMaxNgramDim components; kInvalidArgument otherwise.
  static arrow::Result<NgramEmbedder> Make(int32_t dim);

  int32_t dim() const { return dim_; }

  /// Writes dim() components; false, and zeros, for a text without words.
  bool Embed(std::string_view text, std::span<float> out);
  /// A fixed_size_list<float32>[dim] array, one vector per text; null for a null text or one
  /// without words. `texts` is utf8, large_utf8 or utf8_view; kTypeMismatch otherwise.
  arrow::Result<std::shared_ptr<arrow::Array>> Embed(const arrow::Array& texts);

 private:
  explicit NgramEmbedder(int32_t dim) : dim_(dim) {}

  void AddWord();

  int32_t dim_;
  std::string word_;                // "_word_" in UTF-8
  std::vector<uint32_t> starts_;    // where each code point of word_ begins, and its end
  std::vector<uint64_t> features_;  // hashes of all features of one text
};

}  // namespace glaive::embed
