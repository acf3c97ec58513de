import { defineConfig } from 'vite'

// `npm run dev` shows the page from its sources; the API comes from a `vesal serve` on port 8080.
export default defineConfig({
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 4000, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
})
