// A growable array on the library's own heap. Growing can fail and says so; nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/heap.h"

namespace damon {

// T is trivially copyable, or movable with a member `bool copy_from(const T&)` for deep copies (false: out of memory).
template <typename T>
class Vector {
public:
    Vector() = default;
    ~Vector() { release(); }
    Vector(const Vector&) = delete;
    Vector& operator=(const Vector&) = delete;
    Vector(Vector&& other) noexcept { swap(other); }
    Vector& operator=(Vector&& other) noexcept {
        if (this != &other) {
            release();
            swap(other);
        }
        return *this;
    }

    size_t size() const { return size_; }
    size_t capacity() const { return capacity_; }
    bool empty() const { return size_ == 0; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    T& operator[](size_t index) {
        DAMON_CHECK(index < size_);
        return data_[index];
    }
    const T& operator[](size_t index) const {
        DAMON_CHECK(index < size_);
        return data_[index];
    }
    T& back() { return (*this)[size_ - 1]; }
    const T& back() const { return (*this)[size_ - 1]; }
    std::span<T> span() { return {data_, size_}; }
    std::span<const T> span() const { return {data_, size_}; }

    // Makes room for `wanted` elements in all; false when out of memory, and then nothing changed.
    [[nodiscard]] bool reserve(size_t wanted) {
        if (wanted <= capacity_) return true;
        if (wanted > SIZE_MAX / sizeof(T)) return false;
        T* grown = static_cast<T*>(heap_allocate(wanted * sizeof(T)));
        if (grown == nullptr) return false;
        for (size_t i = 0; i < size_; ++i) {
            ::new (grown + i) T(std::move(data_[i]));
            data_[i].~T();
        }
        heap_free(data_, capacity_ * sizeof(T));
        data_ = grown;
        capacity_ = wanted;
        return true;
    }

    // False when out of memory; `value` is then untouched.
    [[nodiscard]] bool push_back(T&& value) {
        if (size_ == capacity_ && !reserve(capacity_ == 0 ? 4 : capacity_ * 2)) return false;
        ::new (data_ + size_++) T(std::move(value));
        return true;
    }
    [[nodiscard]] bool push_back(const T& value) requires std::is_trivially_copyable_v<T> {
        T copy = value;
        return push_back(std::move(copy));
    }

    // New elements are value-initialised. False when out of memory, and then nothing changed.
    [[nodiscard]] bool resize(size_t wanted) {
        if (!reserve(wanted)) return false;
        if (wanted < size_) truncate(wanted);
        while (size_ < wanted) ::new (data_ + size_++) T();
        return true;
    }

    // Drops the elements from `count` on; keeps the memory.
    void truncate(size_t count) {
        while (size_ > count) data_[--size_].~T();
    }
    void clear() { truncate(0); }

    // Inserts before `index`, shifting the rest. False when out of memory.
    [[nodiscard]] bool insert(size_t index, const T& value) requires std::is_trivially_copyable_v<T> {
        DAMON_CHECK(index <= size_);
        const T copy = value;
        if (!push_back(copy)) return false;
        memmove(static_cast<void*>(data_ + index + 1), data_ + index, (size_ - 1 - index) * sizeof(T));
        data_[index] = copy;
        return true;
    }

    // Removes [first, last), shifting the rest; never allocates.
    void erase(size_t first, size_t last) {
        DAMON_CHECK(first <= last && last <= size_);
        for (size_t from = last; from < size_; ++from) data_[first + from - last] = std::move(data_[from]);
        truncate(size_ - (last - first));
    }

    // Deep copy; false when out of memory, and then this is empty or unchanged.
    [[nodiscard]] bool copy_from(const Vector& other) {
        if (this == &other) return true;
        Vector copy;
        if (!copy.reserve(other.size_)) return false;
        for (const T& element : other) {
            if constexpr (std::is_trivially_copyable_v<T>) {
                ::new (copy.data_ + copy.size_++) T(element);
            } else {
                T duplicate;
                if (!duplicate.copy_from(element)) return false;
                ::new (copy.data_ + copy.size_++) T(std::move(duplicate));
            }
        }
        swap(copy);
        return true;
    }

    void swap(Vector& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    bool operator==(const Vector& other) const {
        if (size_ != other.size_) return false;
        for (size_t i = 0; i < size_; ++i) {
            if (!(data_[i] == other.data_[i])) return false;
        }
        return true;
    }

private:
    void release() {
        clear();
        heap_free(data_, capacity_ * sizeof(T));
        data_ = nullptr;
        capacity_ = 0;
    }

    T* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace damon
