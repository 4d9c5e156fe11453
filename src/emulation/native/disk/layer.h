/* What an entry of an overlay's upper layer does to what lies below it. */
#ifndef DISK_LAYER_H
#define DISK_LAYER_H
#include "index.h"

/* A directory that hides what the one below it holds. */
bool is_opaque(const struct index *index, uint32_t entry);
/* Attributes compared without those that the overlay keeps for itself. */
bool same_but_for_layer(const struct index *a, uint32_t left, const struct index *b, uint32_t right);
/* A file whose content is still that of the one below it. */
bool is_metacopy(const struct index *index, uint32_t entry);
/* It shows what lies below another path: it was moved. */
bool is_redirected(const struct index *index, uint32_t entry);
/* From where a directory shows what lies below it, to where its entry does. */
void step_below(struct bytes *path, const struct index *index, uint32_t entry);

#endif
