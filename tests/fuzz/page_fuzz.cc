// Each page decoder with damaged pages. The input is a script: byte 0 picks one of the pages that our encoder
// makes of seeded arrays (every layout and encoding), then groups of 6 bytes edit it: which part (the layout
// message or a buffer), where, how, with what. So the fuzzer starts from valid pages and stays near them.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/util/float16.h>

#include "base/bytes.h"
#include "encoding/page.h"
#include "fuzz_target.h"
#include "soundness.h"

namespace {

using glaive::encoding::Buffers;
using glaive::encoding::EncodedPage;
using glaive::encoding::LeafDescriptor;

struct Seed {
  std::shared_ptr<const LeafDescriptor> leaf;
  uint16_t version_minor;
  EncodedPage page;
};

std::shared_ptr<arrow::Array> Ints(int64_t n, int64_t modulus, int64_t null_every) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < n; ++i) {
    if (null_every != 0 && i % null_every == 1) {
      (void)builder.AppendNull();
    } else {
      (void)builder.Append((i * 7919) % modulus);
    }
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Strings(int64_t n, int64_t distinct, size_t width, int64_t null_every) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < n; ++i) {
    if (null_every != 0 && i % null_every == 1) {
      (void)builder.AppendNull();
    } else {
      std::string text = "value " + std::to_string((i * 31) % distinct);
      while (text.size() < width) {
        text += " and more words " + std::to_string(i % 13);
      }
      (void)builder.Append(text);
    }
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Vectors(int64_t n, int32_t dims, int64_t null_every) {
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, dims);
  for (int64_t i = 0; i < n; ++i) {
    if (null_every != 0 && i % null_every == 1) {
      (void)builder.AppendNull();
      continue;
    }
    (void)builder.Append();
    for (int32_t d = 0; d < dims; ++d) {
      (void)values->Append(static_cast<float>(i * d) * 0.37F);
    }
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Lists(const std::shared_ptr<arrow::Array>& items, int64_t n, int64_t per) {
  arrow::Int32Builder offsets;
  int32_t at = 0;
  for (int64_t i = 0; i < n; ++i) {
    (void)((i % 5 == 2) ? offsets.AppendNull() : offsets.Append(at));
    at += (i % 5 == 2 || i % 5 == 3) ? 0 : static_cast<int32_t>(per);
  }
  (void)offsets.Append(at);
  return arrow::ListArray::FromArrays(*offsets.Finish().ValueOrDie(), *items->Slice(0, at)).ValueOrDie();
}

std::shared_ptr<arrow::Array> Struct(const std::shared_ptr<arrow::Array>& child) {
  return arrow::StructArray::Make({child}, std::vector<std::string>{"a"}).ValueOrDie();
}

std::vector<Seed> MakeSeeds() {
  std::vector<Seed> seeds;
  const std::map<std::string, std::string> plain;
  auto with = [](const char* key, const char* value) {
    return std::map<std::string, std::string>{{std::string("lance-encoding:") + key, value}};
  };
  auto add = [&](const std::shared_ptr<arrow::Array>& array, const std::map<std::string, std::string>& metadata,
                 glaive::encoding::LeafKind kind = glaive::encoding::LeafKind::kPrimitive) {
    for (const uint16_t minor : {uint16_t{1}, uint16_t{2}}) {
      auto leaf = std::make_shared<LeafDescriptor>();
      leaf->kind = kind;
      leaf->path_type = array->type();
      leaf->leaf_metadata = metadata;
      leaf->column_metadata = metadata;
      leaf->name = "fuzzed";
      auto encoder = glaive::encoding::PageEncoder::Make(leaf, {minor});
      if (!encoder.ok()) {
        continue;
      }
      auto pages = (*encoder)->Encode({array}, arrow::default_memory_pool());
      if (!pages.ok()) {
        continue;
      }
      for (auto& page : *pages) {
        seeds.push_back({leaf, minor, std::move(page)});
      }
    }
  };
  add(Ints(1500, 1000, 0), plain);
  add(Ints(1500, 1000, 3), plain);
  add(Ints(1500, int64_t{1} << 62, 0), plain);
  add(Ints(300, 4, 0), plain);
  add(Ints(50, 1, 0), plain);
  add(Ints(50, 1, 4), plain);
  add(Ints(1200, int64_t{1} << 40, 5), with("compression", "zstd"));
  add(Ints(1200, int64_t{1} << 40, 0), with("compression", "lz4"));
  add(Ints(1200, 100, 0), with("bss", "on"));
  add(Ints(20, 9, 2), with("structural-encoding", "fullzip"));
  add(arrow::MakeArrayOfNull(arrow::utf8(), 40).ValueOrDie(), plain);
  add(Strings(200, 200, 0, 3), plain);
  add(Strings(1500, 5, 0, 0), plain);
  add(Strings(1500, 1500, 40, 7), plain);
  add(Strings(1500, 1500, 40, 0), with("compression", "fsst"));
  add(Strings(60, 60, 400, 4), plain);
  add(Strings(4, 4, 40000, 0), plain);
  add(Strings(60, 60, 300, 3), with("compression", "zstd"));
  add(Vectors(50, 4, 0), plain);
  add(Vectors(50, 4, 3), plain);
  add(Vectors(20, 96, 0), plain);
  add(Vectors(20, 96, 3), plain);
  add(Lists(Ints(2000, 50, 4), 400, 3), plain);
  add(Lists(Strings(300, 300, 300, 3), 60, 3), plain);
  add(Lists(Vectors(100, 80, 3), 40, 2), plain);
  add(Lists(Struct(Lists(Ints(2000, 50, 4), 600, 2)), 150, 3), plain);
  add(Struct(Strings(100, 9, 0, 3)), plain);
  add(arrow::StructArray::Make({Ints(100, 50, 0), Ints(100, 9, 0)}, std::vector<std::string>{"a", "b"}).ValueOrDie(), plain,
      glaive::encoding::LeafKind::kPackedStruct);
  add(arrow::StructArray::Make({Ints(100, 50, 0), Strings(100, 9, 0, 0)}, std::vector<std::string>{"a", "b"}).ValueOrDie(), plain,
      glaive::encoding::LeafKind::kPackedStruct);
  return seeds;
}

void Edit(std::vector<uint8_t>* bytes, const uint8_t* edit) {
  if (bytes->empty()) {
    return;
  }
  const size_t at = glaive::LoadLe<uint16_t>(edit + 1) % bytes->size();
  const uint64_t values[] = {0, 1, 0xFFFFFFFFFFFFFFFFULL, 0x7FFFFFFFFFFFFFFFULL};
  switch (edit[3] % 4) {
    case 0:
      (*bytes)[at] = edit[4];
      break;
    case 1:
      bytes->resize(at);
      break;
    case 2:
      std::memcpy(bytes->data() + at, &values[edit[4] % 4], std::min<size_t>(edit[5] % 8 + 1, bytes->size() - at));
      break;
    default:
      (*bytes)[bytes->size() - 1 - at % std::min<size_t>(bytes->size(), 64)] ^= edit[4];
      break;
  }
}

Buffers Fetch(const std::vector<glaive::encoding::BufferRange>& needs,
              const std::vector<std::shared_ptr<arrow::Buffer>>& page, bool* ok) {
  Buffers out;
  for (const auto& need : needs) {
    uint64_t end = 0;
    if (need.buffer >= page.size() || !glaive::CheckedAdd(need.offset, need.length, &end) ||
        end > static_cast<uint64_t>(page[need.buffer]->size())) {
      __builtin_trap();  // a decoder must never ask for what the page does not have
    }
    out.push_back(arrow::SliceBuffer(page[need.buffer], static_cast<int64_t>(need.offset), static_cast<int64_t>(need.length)));
  }
  *ok = true;
  return out;
}

void DecodeRows(glaive::encoding::PageDecoder& decoder, const Buffers& page, const glaive::RowRanges& rows, bool verify) {
  bool ok = false;
  const Buffers row_index = Fetch(decoder.RowIndexNeeds(rows), page, &ok);
  auto needs = decoder.DataNeeds(rows, row_index);
  if (!needs.ok()) {
    return;
  }
  const Buffers data = Fetch(*needs, page, &ok);
  if (verify) {
    (void)decoder.Verify(row_index, data);
  }
  auto array = decoder.Decode(rows, row_index, data, arrow::default_memory_pool());
  if (array.ok()) {
    RequireSound((*array)->ValidateFull());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Seed> seeds = MakeSeeds();
  if (size < 1) {
    return 0;
  }
  const Seed& seed = seeds[data[0] % seeds.size()];
  std::vector<std::vector<uint8_t>> parts;
  parts.emplace_back(seed.page.encoding.begin(), seed.page.encoding.end());
  for (const auto& buffer : seed.page.buffers) {
    parts.emplace_back(buffer->data(), buffer->data() + buffer->size());
  }
  for (size_t at = 1; at + 6 <= size && at < 60; at += 6) {
    Edit(&parts[data[at] % parts.size()], data + at);
  }
  glaive::encoding::PageDescriptor page;
  page.num_rows = seed.page.num_rows;
  page.version_minor = seed.version_minor;
  Buffers buffers;
  for (size_t i = 1; i < parts.size(); ++i) {
    page.buffer_sizes.push_back(parts[i].size());
    // Allocated to the byte, so that the sanitizer sees a read behind the end.
    auto copy = std::make_shared<std::vector<uint8_t>>(parts[i]);
    copy->shrink_to_fit();
    buffers.push_back(std::shared_ptr<arrow::Buffer>(
        new arrow::Buffer(copy->data(), static_cast<int64_t>(copy->size())), [copy](arrow::Buffer* b) { delete b; }));
  }
  page.encoding = {reinterpret_cast<const char*>(parts[0].data()), parts[0].size()};
  auto decoder = glaive::encoding::PageDecoder::Open(seed.leaf, page);
  if (!decoder.ok()) {
    return 0;
  }
  bool ok = false;
  if (!(*decoder)->LoadIndex(Fetch((*decoder)->IndexNeeds(), buffers, &ok)).ok()) {
    return 0;
  }
  const uint64_t rows = (*decoder)->num_rows();
  if (rows == 0 || rows > (1u << 16)) {
    return 0;
  }
  DecodeRows(**decoder, buffers, {{0, rows}}, true);
  glaive::RowRanges some = {{0, 1}};
  if (rows > 3) {
    some.push_back({rows / 2, rows / 2 + 1});
    some.push_back({rows - 1, rows});
  }
  DecodeRows(**decoder, buffers, some, false);
  return 0;
}
