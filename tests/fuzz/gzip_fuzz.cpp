// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a gzip'd image: read in pieces whose sizes the input chooses, forwards and back; and the same bytes as a bare
// deflate stream. Nothing is claimed about the result but that it is the same every time.
#include <sel4vmmplatsupport/gzip_image.hpp>

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace sel4vm;
using namespace sel4vm::platsupport;

namespace {

constexpr usize kMostBytes = 1 << 20;

class Input final : public ImageSource, public ByteInput {
public:
    explicit Input(std::span<const u8> bytes) : bytes_(bytes) {}
    [[nodiscard]] u64 size_bytes() override { return bytes_.size(); }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
            return false;
        if (!out.empty())
            std::memcpy(out.data(), bytes_.data() + offset, out.size());
        return true;
    }
    [[nodiscard]] int next() override { return at_ < bytes_.size() ? bytes_[at_++] : -1; }

private:
    std::span<const u8> bytes_;
    usize at_ = 0;
};

void unpack_file(std::span<const u8> bytes) {
    Input input(bytes);
    GzipImage image(input);
    if (!image.open())
        return;
    std::vector<u8> first(std::min<u64>(image.size_bytes(), kMostBytes));
    if (!image.read(0, first))
        return;
    std::vector<u8> again(first.size());
    const usize step = 1 + bytes[0] * 31U;
    for (usize done = 0; done < again.size(); done += step) {
        const usize size = std::min(step, again.size() - done);
        if (!image.read(done, std::span(again).subspan(done, size)))
            std::abort();
    }
    if (first != again)
        std::abort();
}

void inflate_stream(std::span<const u8> bytes) {
    Input input(bytes);
    Inflater inflater(input);
    std::vector<u8> out(64 * 1024);
    for (usize total = 0; total < kMostBytes;) {
        const usize count = inflater.read(out);
        total += count;
        if (count < out.size())
            return;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, std::size_t size) {
    if (size == 0)
        return 0;
    unpack_file({data, size});
    inflate_stream({data, size});
    return 0;
}
