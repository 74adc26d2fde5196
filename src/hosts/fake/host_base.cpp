// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/host_base.hpp>

#include <sel4vm/base/assert.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace sel4vm::fake {

namespace {

/// In front of each block, so that a host whose heap relies on what it is told when a block comes back would find everything right.
struct BlockSize {
    usize size_bytes;
    usize alignment;
};
usize front_of(usize alignment) { return std::max(alignment, sizeof(BlockSize)); }

} // namespace

Log &shared_log() {
    static Log log;
    return log;
}

sel4vm::Log &program_log() {
    struct ProgramLog final : sel4vm::Log {
        void line(LogLevel level, std::string_view source, std::string_view text) override {
            shared_log().line(level, source, text);
            if (process().is_used())
                Process::log(source, text);
        }
    };
    static ProgramLog log;
    return log;
}

Shared &shared() {
    static Shared shared;
    return shared;
}

void *HostBase::allocate(usize size_bytes, usize alignment) {
    if (refuses())
        return nullptr;
    void *memory = nullptr;
    const usize front = front_of(alignment);
    if (posix_memalign(&memory, front, front + size_bytes) != 0)
        return nullptr;
    note_made();
    // SAFETY: the memory begins with at least a BlockSize, which ends where the block begins.
    u8 *block = static_cast<u8 *>(memory) + front;
    new (block - sizeof(BlockSize)) BlockSize{size_bytes, alignment};
    return block;
}

void HostBase::deallocate(void *block, usize size_bytes, usize alignment) {
    // SAFETY: the block is from allocate().
    u8 *bytes = static_cast<u8 *>(block);
    const auto *size = reinterpret_cast<const BlockSize *>(bytes - sizeof(BlockSize));
    SEL4VM_ASSERT(size->size_bytes == size_bytes && size->alignment == alignment);
    note_gone();
    std::free(bytes - front_of(alignment));
}

Result<const std::string *, int> HostBase::find_file(const std::string &name) {
    for (const std::map<std::string, std::string> *files : {&files_, &shared().files}) {
        if (const auto found = files->find(name); found != files->end())
            return &found->second;
    }
    auto found = process().file(name);
    if (!found)
        return Err{found.error()};
    return &(files_[name] = *std::move(found));
}

void HostBase::say_missing(const std::string &name, int error) const {
    // A test brings files of its own, and knows which; a program that is run by hand has only those of the folder.
    if (process().is_used() || (files_.empty() && shared().files.empty()))
        Process::log("host", process().missing(name, error));
}

const std::string *HostBase::file(const std::string &name) {
    const auto found = find_file(name);
    if (found)
        return *found;
    say_missing(name, found.error());
    return nullptr;
}

void HostBase::put(std::string_view bytes) {
    if (process().is_used())
        Process::put(bytes);
    else
        shared().console_output.append(bytes);
}

usize HostBase::read(std::span<char> out) {
    if (process().is_used())
        return process().get(out);
    std::string &input = shared().console_input;
    const usize count = std::min(out.size(), input.size());
    std::copy_n(input.begin(), count, out.begin());
    input.erase(0, count);
    return count;
}

bool HostBase::listen(u64 badge) {
    if (console_badge_ != 0)
        return false;
    console_badge_ = badge;
    if (!shared().console_input.empty())
        signal(badge);
    return true;
}

bool HostBase::announce_input(Process::Wait wait) {
    if (console_badge_ == 0 || !process().is_used() || !process().take_news(wait))
        return false;
    signal(console_badge_);
    return true;
}

} // namespace sel4vm::fake
