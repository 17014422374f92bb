# glaive_room(name DEPENDS rooms... LINK libraries... SOURCES ... TESTS ... [KERNELS_* ...])
#
# A room is a folder with one CMake target and one test binary. The objects of a room go into the
# libraries that are shipped; the static library glaive_<room> is what tests and other rooms link, so
# that a test of a room sees only that room and the rooms it may use.
add_library(glaive_settings INTERFACE)
target_compile_options(glaive_settings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wundef -Wno-unused-parameter
  # GCC 12 reports overlaps in std::string that are not there (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${GLAIVE_WERROR}>:-Werror>)
if(GLAIVE_SANITIZE)
  target_compile_options(glaive_settings INTERFACE -fsanitize=${GLAIVE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  # Arrow's prebuilt libraries are not instrumented: RTTI-based checks on their objects are noise.
  target_compile_options(glaive_settings INTERFACE -fno-sanitize=vptr)
  target_link_options(glaive_settings INTERFACE -fsanitize=${GLAIVE_SANITIZE})
endif()
if(GLAIVE_FUZZ)
  # What libFuzzer steers by; the fuzz targets alone link its main().
  target_compile_options(glaive_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
set_property(GLOBAL PROPERTY GLAIVE_ROOMS "")

function(glaive_room name)
  cmake_parse_arguments(R "" "" "DEPENDS;LINK;SOURCES;TESTS;TEST_LINK" ${ARGN})
  add_library(glaive_${name}_objects OBJECT ${R_SOURCES})
  add_library(glaive_${name} STATIC $<TARGET_OBJECTS:glaive_${name}_objects>)
  set_target_properties(glaive_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(glaive_${name}_objects PRIVATE glaive_settings PUBLIC Glaive::arrow ${R_LINK})
  target_link_libraries(glaive_${name} PUBLIC Glaive::arrow ${R_LINK})
  foreach(dep ${R_DEPENDS})
    target_link_libraries(glaive_${name} PUBLIC glaive_${dep})
    # Generated headers and include directories of the room below, not its objects.
    get_target_property(includes glaive_${dep}_objects INTERFACE_INCLUDE_DIRECTORIES)
    if(includes)
      target_include_directories(glaive_${name}_objects PUBLIC ${includes})
    endif()
    add_dependencies(glaive_${name}_objects glaive_${dep}_objects)
    get_target_property(links glaive_${dep}_objects INTERFACE_LINK_LIBRARIES)
    if(links)
      target_link_libraries(glaive_${name}_objects PUBLIC ${links})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY GLAIVE_ROOMS ${name})
  if(GLAIVE_TESTS AND R_TESTS)
    glaive_test(${name}_test SOURCES ${R_TESTS} LINK glaive_${name} ${R_TEST_LINK})
  endif()
endfunction()

# The test and fuzz binaries alone: all that a sanitizer build needs.
add_custom_target(unit_tests)

# One test binary, one ctest entry per binary run (cases are listed by the binary itself).
function(glaive_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 600)
  endif()
  add_executable(${name} ${T_SOURCES})
  # GCC 12 takes the maps in requests that are made in place, as tests do, for uninitialized.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_libraries(${name} PRIVATE glaive_settings ${T_LINK} GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads)
  target_compile_definitions(${name} PRIVATE GLAIVE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT})
  add_dependencies(unit_tests ${name})
endfunction()
