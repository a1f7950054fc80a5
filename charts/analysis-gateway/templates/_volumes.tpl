{{/* Folders, so that what changes is seen; the settings are read once, and a checksum restarts the pods. */}}
{{- define "gateway.mounts" -}}
- {name: config, mountPath: /etc/analysis-gateway/config.yaml, subPath: config.yaml, readOnly: true}
- {name: policy, mountPath: /etc/analysis-gateway/policy, readOnly: true}
{{- if .Values.access.tokens.existingSecret }}
- {name: tokens, mountPath: /etc/analysis-gateway/tokens, readOnly: true}
{{- end }}
{{- if .Values.tls.existingSecret }}
- {name: tls, mountPath: /etc/analysis-gateway/tls, readOnly: true}
{{- end }}
{{- if or .Values.templates .Values.existingTemplatesConfigMap }}
- {name: templates, mountPath: /etc/analysis-gateway/templates, readOnly: true}
{{- end }}
{{- range $number, $secret := .Values.secrets }}
- {name: secret-{{ $number }}, mountPath: {{ printf "/etc/analysis-gateway/secrets/%s/%s" $secret.namespace $secret.name }}, readOnly: true}
{{- end }}
- {name: state, mountPath: /var/lib/analysis-gateway}
- {name: tmp, mountPath: /tmp}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gateway.volumes" -}}
- name: config
  {{- if .Values.existingConfigSecret }}
  secret: {secretName: {{ .Values.existingConfigSecret | quote }}}
  {{- else }}
  configMap: {name: {{ include "gateway.fullname" . | quote }}}
  {{- end }}
- name: policy
  configMap: {name: {{ default (printf "%s-policy" (include "gateway.fullname" .)) .Values.access.existingPolicyConfigMap | quote }}}
{{- with .Values.access.tokens.existingSecret }}
- name: tokens
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- with .Values.tls.existingSecret }}
- name: tls
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- if or .Values.templates .Values.existingTemplatesConfigMap }}
- name: templates
  configMap: {name: {{ default (printf "%s-templates" (include "gateway.fullname" .)) .Values.existingTemplatesConfigMap | quote }}}
{{- end }}
{{- range $number, $secret := .Values.secrets }}
- name: secret-{{ $number }}
  secret: {secretName: {{ $secret.existingSecret | quote }}}
{{- end }}
- name: state
  {{- if .Values.state.existingClaim }}
  persistentVolumeClaim: {claimName: {{ .Values.state.existingClaim | quote }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ .Values.state.sizeLimit | quote }}}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
