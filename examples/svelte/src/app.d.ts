// Types the elements in templates.
import type {} from '@mqtt-status/widgets/svelte'
