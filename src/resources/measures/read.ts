export { deliveredValued, figures, isDue, valued } from './figures.ts'
