/** Registers every element. Safe where there is no document. */
import './define/provider.ts'
import './define/card.ts'
import './define/badge.ts'
import './define/control.ts'
import './define/live.ts'
