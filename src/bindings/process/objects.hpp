// SPDX-License-Identifier: BSD-2-Clause
//
// The objects behind the vka_t of a host that is a Linux process. A handle (seL4_CPtr) is the address of an object, and only that of a live one
// is taken, but by seL4_Signal(), which is told no host to look it up in. Frames are parts of one file in memory, so that several can be seen as one piece.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/capi/binding.hpp>
#include <sel4vm/host.h>

#include <map>
#include <memory>

namespace sel4vm::process {

class Objects;

struct Object {
    Objects &owner;
    seL4_Word type;
    seL4_Word size_bits;
    u64 badge = 0;        ///< of a signal
    u64 offset = 0;       ///< of a frame, in the file behind all frames
    u8 *window = nullptr; ///< of a frame
};

/// A host derives from it, and puts vka() into its vm_host_t.
class Objects {
public:
    Objects();
    Objects(const Objects &) = delete;
    Objects &operator=(const Objects &) = delete;

    [[nodiscard]] static Objects &of(const vka_t &vka) { return *static_cast<Objects *>(vka.data); }
    [[nodiscard]] vka_t vka();

    /// nullptr: refused, or out of memory.
    [[nodiscard]] Object *make(seL4_Word type, seL4_Word size_bits);
    void free(Object *object);
    /// nullptr for what is no live object of this type.
    [[nodiscard]] Object *find(seL4_CPtr handle, seL4_Word type);
    [[nodiscard]] Object *find_frame(seL4_CPtr handle);
    /// These frames seen as one piece from `at` on: a window of `size_bytes`, for munmap(). invalid: one is no frame, too large, or elsewhere.
    [[nodiscard]] Result<u8 *, HostError> window_over(Gpa at, u64 size_bytes, const capi::FrameSource &frames);

    /// Somebody signalled a notification with this badge. From any thread.
    virtual void signalled(u64 badge) = 0;

protected:
    virtual ~Objects();
    /// A host that counts, or refuses, what is made.
    [[nodiscard]] virtual bool may_make() { return true; }
    virtual void was_made() {}
    virtual void was_freed() {}
    /// While the host can still be told.
    void free_all();

private:
    [[nodiscard]] bool make_window(Object &frame);

    int frames_file_;
    u64 frames_end_ = 0;
    std::map<seL4_CPtr, std::unique_ptr<Object>> objects_;
};

[[nodiscard]] inline seL4_CPtr handle_of(const Object *object) {
    return reinterpret_cast<seL4_CPtr>(object); // SAFETY: only ever compared with those of live objects
}

} // namespace sel4vm::process
