/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Version of the interface these headers describe. */
#ifndef AXVM_VERSION_H
#define AXVM_VERSION_H

#define AXVM_VERSION_MAJOR 0
#define AXVM_VERSION_MINOR 1
#define AXVM_VERSION_PATCH 0

#endif
