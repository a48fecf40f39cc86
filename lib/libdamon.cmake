# What ships: libdamon.so and libdamon.a, the header, the CMake package and damon.pc.
#
#   BUILD_SHARED_LIBS   damon              damon_static
#   not set             shared             static
#   ON                  shared             built on demand, not installed
#   OFF                 static             another name of damon
#
# Programs link damon::damon or damon::damon_static, here and from the installed package alike.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Both link through the C compiler: a C program needs no C++ runtime, and a stray use of one fails at link time.
set(CMAKE_CXX_IMPLICIT_LINK_LIBRARIES "")
set(CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES "")

function(damon_shipped_library name kind)
    string(TOLOWER ${kind} objects)
    add_library(${name} ${kind} ${damon_${objects}_objects})
    add_library(damon::${name} ALIAS ${name})
    target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${name} PRIVATE Threads::Threads)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME damon LINKER_LANGUAGE C)
endfunction()

function(damon_shared_library)
    set(version_script ${CMAKE_CURRENT_SOURCE_DIR}/damon.map)
    damon_shipped_library(damon SHARED)
    set_target_properties(damon PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS ${version_script})
    target_link_options(damon PRIVATE -Wl,--version-script=${version_script} -Wl,-z,defs -Wl,-z,now -Wl,-z,relro
        -Wl,-z,noexecstack -Wl,-z,nodelete) # dlclose() leaves the code of workers, and of thread exits, where it is
endfunction()

set(installed_libraries damon)
if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
    damon_shipped_library(damon STATIC)
    set(DAMON_PC_LIBS ${CMAKE_THREAD_LIBS_INIT})
    add_library(damon_static ALIAS damon)
    add_library(damon::damon_static ALIAS damon)
else()
    damon_shared_library()
    damon_shipped_library(damon_static STATIC)
    if(BUILD_SHARED_LIBS)
        set_target_properties(damon_static PROPERTIES EXCLUDE_FROM_ALL ON)
    else()
        list(APPEND installed_libraries damon_static)
    endif()
endif()

if(NOT DAMON_INSTALL)
    return()
endif()
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/damon)
install(TARGETS ${installed_libraries} EXPORT damon-targets LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/include/damon_c.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT license)
install(EXPORT damon-targets NAMESPACE damon:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/damon-config.cmake.in damon-config.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(damon-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/damon-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/damon-config-version.cmake
    DESTINATION ${package_dir} COMPONENT development)

# damon.pc finds the prefix from its own place, so that an installed tree can be moved. Places that are given as absolute ones
# stay where they are.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(DAMON_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
    file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
    set(DAMON_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(place LIBDIR INCLUDEDIR)
    cmake_path(APPEND DAMON_PC_${place} "\${prefix}" "${CMAKE_INSTALL_${place}}") # an absolute one takes the place of the first
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/cmake/damon.pc.in damon.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/damon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT development)
