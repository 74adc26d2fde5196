// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a bundle, once as they are and once with magic, version and checksums made right, so that the checks
// behind those are reached. What opens has its parts inside the file and apart from each other.
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>

#include <algorithm>
#include <cstdlib>
#include <vector>

using namespace sel4vm;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void open(std::span<const u8> bytes) {
    const auto bundle = boot::Bundle::open(bytes);
    if (!bundle) {
        require(!boot::to_string(bundle.error().kind).empty());
        return;
    }
    require(bundle->size_bytes() <= bytes.size());
    const u8 *end = bundle->manifest().data() + bundle->manifest().size();
    for (u32 i = 0; i < bundle->blob_count(); ++i) {
        const auto blob = bundle->blob(i);
        require(blob.has_value() && blob->data() >= end);
        end = blob->data() + blob->size();
        require(end <= bytes.data() + bytes.size());
        static_cast<void>(bundle->verify_blob(i).has_value());
    }
    require(!bundle->blob(bundle->blob_count()).has_value());
}

/// Header fields that a random change would hardly ever get right.
void mend(std::vector<u8> &bytes) {
    std::copy_n("s4vmbndl", 8, bytes.begin());
    boot::store_le<u32>(bytes, 8, boot::kBundleVersion);
    const u64 offset = boot::load_le<u64>(bytes, 24), size = boot::load_le<u64>(bytes, 32);
    if (boot::fits(bytes.size(), offset, size))
        boot::store_le<u32>(bytes, 40, boot::crc32(std::span<const u8>(bytes).subspan(offset, size)));
    boot::store_le<u32>(bytes, 44, 0);
    boot::store_le<u32>(bytes, 44, boot::crc32(std::span<const u8>(bytes).first(boot::kBundleHeaderBytes)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    open({data, size});
    // The input is a header without its many zeros, then the pages behind it.
    constexpr usize kUsed = 256;
    std::vector<u8> bytes(boot::kBundleHeaderBytes);
    std::copy_n(data, std::min(size, kUsed), bytes.begin());
    if (size > kUsed)
        bytes.insert(bytes.end(), data + kUsed, data + size);
    bytes.resize((bytes.size() + 4095) / 4096 * 4096);
    mend(bytes);
    open(bytes);
    return 0;
}
