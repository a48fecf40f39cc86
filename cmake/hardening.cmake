# What makes a memory error of the library an abort instead of somebody's tool. Targets take it as `damon_hardening`: the
# library and the agent; what a packager's flags say themselves is left as it is. docs/security.md lists it, and
# tests/lint/hardening.py reads it back from the library that was built.
include(CheckCXXCompilerFlag)

add_library(damon_hardening INTERFACE)
set(DAMON_FORTIFIED "")
# A sanitizer finds more, and replaces the functions that would be checked.
if(NOT DAMON_HARDENING OR CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    return()
endif()

set(flags -fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    list(APPEND flags -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND flags -mbranch-protection=standard)
endif()
set(CMAKE_REQUIRED_FLAGS_BEFORE "${CMAKE_REQUIRED_FLAGS}")
set(CMAKE_REQUIRED_FLAGS "${CMAKE_REQUIRED_FLAGS} -Werror")  # a flag that is ignored is none
foreach(flag IN LISTS flags)
    string(MAKE_C_IDENTIFIER "DAMON_HAS${flag}" has)
    check_cxx_compiler_flag(${flag} ${has})
    if(${has})
        target_compile_options(damon_hardening INTERFACE ${flag})
    endif()
endforeach()
set(CMAKE_REQUIRED_FLAGS "${CMAKE_REQUIRED_FLAGS_BEFORE}")

# Only where there is optimization, which the checks need. Some compilers define it by themselves.
if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "_FORTIFY_SOURCE")
    set(DAMON_FORTIFIED "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
    target_compile_options(damon_hardening INTERFACE
        "$<${DAMON_FORTIFIED}:SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>")
endif()
