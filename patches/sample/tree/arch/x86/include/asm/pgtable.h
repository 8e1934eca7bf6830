#ifndef _ASM_X86_PGTABLE_H
#define _ASM_X86_PGTABLE_H

#include <asm/page.h>

/* One level is enough: the frame number above PAGE_SHIFT, the bits below. */
typedef struct {
	unsigned long pte;
} pte_t;

#define _PAGE_PRESENT	0x01UL
#define _PAGE_RW	0x02UL

#define __pte(x)	((pte_t) { (x) })

static inline pte_t mk_pte(unsigned long pfn, int write)
{
	return __pte(pfn << PAGE_SHIFT | _PAGE_PRESENT | (write ? _PAGE_RW : 0));
}

static inline int pte_present(pte_t pte)
{
	return (pte.pte & _PAGE_PRESENT) != 0;
}

static inline int pte_write(pte_t pte)
{
	return (pte.pte & _PAGE_RW) != 0;
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return pte.pte >> PAGE_SHIFT;
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return __pte(pte.pte & ~_PAGE_RW);
}

static inline pte_t pte_mkwrite(pte_t pte)
{
	return __pte(pte.pte | _PAGE_RW);
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	*ptep = pte;
}

#endif
