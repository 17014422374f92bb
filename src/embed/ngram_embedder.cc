#include "embed/ngram_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/type.h>
#include <xxhash.h>

#include "base/status.h"

namespace glaive::embed {

namespace {

constexpr size_t kShortest = 3;
constexpr size_t kLongest = 5;

// The length of the UTF-8 sequence at `at`, judged by its lead byte and that its continuation bytes
// are there; 0 if it is none.
size_t SequenceLength(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
  if (length == 0 || at + length > text.size()) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

bool IsAsciiLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <typename TextArray>
arrow::Result<std::shared_ptr<arrow::Array>> EmbedAll(NgramEmbedder& embedder,
                                                      const TextArray& texts) {
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, embedder.dim());
  const auto dim = static_cast<size_t>(embedder.dim());
  std::vector<float> vector(dim);
  ARROW_RETURN_NOT_OK(values->Reserve(texts.length() * embedder.dim()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsValid(i) && embedder.Embed(texts.GetView(i), vector)) {
      ARROW_RETURN_NOT_OK(builder.Append());
      ARROW_RETURN_NOT_OK(values->AppendValues(vector.data(), embedder.dim()));
    } else {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    }
  }
  return builder.Finish();
}

}  // namespace

arrow::Result<NgramEmbedder> NgramEmbedder::Make(int32_t dim) {
  GLAIVE_CHECK_ARGUMENT(dim >= 8 && dim <= kMaxNgramDim, "dimension of ", kNgramEmbedderName,
                        " vectors: found ", dim, ", allowed are 8 to ", kMaxNgramDim);
  return NgramEmbedder(dim);
}

void NgramEmbedder::AddWord() {
  starts_.push_back(static_cast<uint32_t>(word_.size()));
  word_.push_back('_');
  starts_.push_back(static_cast<uint32_t>(word_.size()));
  const size_t points = starts_.size() - 1;
  for (size_t n = std::min(kShortest, points); n <= std::min(kLongest, points); ++n) {
    for (size_t i = 0; i + n <= points; ++i) {
      features_.push_back(XXH64(word_.data() + starts_[i], starts_[i + n] - starts_[i], 0));
    }
  }
}

bool NgramEmbedder::Embed(std::string_view text, std::span<float> out) {
  features_.clear();
  const auto begin_word = [this] {
    word_.assign("_");
    starts_.assign(1, 0);
  };
  begin_word();
  for (size_t at = 0; at <= text.size();) {
    const size_t length = at < text.size() ? SequenceLength(text, at) : 0;
    if (length > 1 || (length == 1 && IsAsciiLetterOrDigit(text[at]))) {
      starts_.push_back(static_cast<uint32_t>(word_.size()));
      if (length == 1) {
        word_.push_back(Lower(text[at]));
      } else {
        word_.append(text.substr(at, length));
      }
    } else if (starts_.size() > 1) {
      AddWord();
      begin_word();
    }
    at += std::max<size_t>(length, 1);
  }

  std::fill(out.begin(), out.end(), 0.0f);
  std::sort(features_.begin(), features_.end());
  for (size_t i = 0; i < features_.size();) {
    const uint64_t hash = features_[i];
    size_t end = i;
    while (end < features_.size() && features_[end] == hash) {
      ++end;
    }
    const auto weight = static_cast<float>(1.0 + std::log(static_cast<double>(end - i)));
    out[hash % static_cast<uint64_t>(dim_)] += hash >> 63 != 0 ? -weight : weight;
    i = end;
  }
  double square = 0;
  for (const float component : out) {
    square += static_cast<double>(component) * component;
  }
  if (square == 0) {
    return false;
  }
  for (float& component : out) {
    component = static_cast<float>(component / std::sqrt(square));
  }
  return true;
}

arrow::Result<std::shared_ptr<arrow::Array>> NgramEmbedder::Embed(const arrow::Array& texts) {
  switch (texts.type_id()) {
    case arrow::Type::STRING:
      return EmbedAll(*this, static_cast<const arrow::StringArray&>(texts));
    case arrow::Type::LARGE_STRING:
      return EmbedAll(*this, static_cast<const arrow::LargeStringArray&>(texts));
    case arrow::Type::STRING_VIEW:
      return EmbedAll(*this, static_cast<const arrow::StringViewArray&>(texts));
    default:
      return TypeMismatch("texts to embed: found ", texts.type()->ToString(), ", expected utf8");
  }
}

}  // namespace glaive::embed
