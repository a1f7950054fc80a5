{{/* What would start and then not work, or work and not be meant. */}}
{{- define "gateway.check" -}}
{{- include "gateway.checkSettings" . -}}
{{- include "gateway.checkAccess" . -}}
{{- include "gateway.checkRedis" . -}}
{{- include "gateway.checkScaling" . -}}
{{- include "gateway.checkCluster" . -}}
{{- include "gateway.checkNetwork" . -}}
{{- include "gateway.checkMonitoring" . -}}
{{- end -}}

{{- define "gateway.checkSettings" -}}
{{- $elsewhere := dict
    "port" "service" "templates" "templates" "secrets" "secrets" "redis" "redis" "state" "state"
    "tls" "tls" "shutdown" "shutdown" "operations.port" "operations"
    "access.policy" "access.policy" "access.tokens" "access.tokens" "access.jwt" "access.jwt"
    "access.tokenReview.audiences" "access.tokenReview.audiences"
    "access.certificates" "access.certificates" "access.budget" "access.budget"
    "kubernetes.connect" "kubernetes.enabled" "kubernetes.templates" "kubernetes.templates"
    "kubernetes.clusterTemplates" "kubernetes.clusterTemplates" "kubernetes.secrets" "kubernetes.secrets"
    "kubernetes.jobs.namespaces" "kubernetes.jobs.namespaces" "kubernetes.jobs.namespace" "kubernetes.jobs.namespace" -}}
{{- range $path, $value := $elsewhere -}}
{{- if include "gateway.setting" (dict "config" $.Values.config "path" $path) -}}
{{- fail (printf "config.%s follows from other values: set %s instead" $path $value) -}}
{{- end -}}
{{- end -}}
{{- range $path := list "host" "operations.host" -}}
{{- if regexMatch "^(127\\.|\\[?::1\\]?$|localhost$)" (include "gateway.setting" (dict "config" $.Values.config "path" $path)) -}}
{{- fail (printf "config.%s is a loopback address, where no probe and no caller reaches the gateway: leave it out" $path) -}}
{{- end -}}
{{- end -}}
{{- if include "gateway.setting" (dict "config" .Values.config "path" "readings.hashKey") -}}
{{- fail "config.readings.hashKey is a secret, and would stand in a ConfigMap: leave it out, and the first replica makes one that the others read from Redis; or have the whole settings in existingConfigSecret" -}}
{{- end -}}
{{- $known := list -}}
{{- range .Values.secrets -}}
{{- $place := printf "%s/%s" .namespace .name -}}
{{- if has $place $known -}}
{{- fail (printf "secrets has %s twice: leave one of them out" $place) -}}
{{- end -}}
{{- $known = append $known $place -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkAccess" -}}
{{- $access := .Values.access -}}
{{- $tls := .Values.tls -}}
{{- $wantsCertificates := and $tls.clientCa (eq $tls.clientCertificates "required") -}}
{{- if not (or .Values.existingConfigSecret $access.tokens.existingSecret $access.tokenReview.audiences $access.jwt $access.certificates) -}}
{{- fail "nobody could prove who it is, and the gateway would not start: set access.tokens.existingSecret, access.tokenReview.audiences, access.jwt or access.certificates" -}}
{{- end -}}
{{- if and $access.certificates (not $tls.clientCa) -}}
{{- fail "access.certificates needs tls.clientCa" -}}
{{- end -}}
{{- if and $tls.clientCa (not $tls.existingSecret) -}}
{{- fail "tls.clientCa needs tls.existingSecret" -}}
{{- end -}}
{{- if and $wantsCertificates (not .Values.operations.enabled) -}}
{{- fail "probes have no certificate to show: set operations.enabled, or tls.clientCertificates to optional" -}}
{{- end -}}
{{- if and $wantsCertificates .Values.analysisTemplates.enabled -}}
{{- fail "Argo Rollouts has no certificate to show: set tls.clientCertificates to optional, or analysisTemplates.enabled to false" -}}
{{- end -}}
{{- if and .Values.analysisTemplates.insecure (not $tls.existingSecret) -}}
{{- fail "analysisTemplates.insecure is for a gateway with a certificate: set tls.existingSecret, or leave it out" -}}
{{- end -}}
{{- if and $access.tokenReview.audiences (not .Values.kubernetes.enabled) -}}
{{- fail "access.tokenReview.audiences needs kubernetes.enabled" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkRedis" -}}
{{- $isMany := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- $isShared := include "gateway.hasSharedRedis" . -}}
{{- if and $isMany (not $isShared) (not .Values.existingConfigSecret) -}}
{{- fail (printf "%s, and the gateways share no Redis: set redis.existingSecret, redis.url or valkey.enabled" (ternary "autoscaling.enabled is set" "replicaCount is more than 1" .Values.autoscaling.enabled)) -}}
{{- end -}}
{{- if and .Values.state.existingClaim (or $isMany $isShared) -}}
{{- fail "state.existingClaim is for the private Redis of one gateway: leave it out where there are more gateways, redis or valkey" -}}
{{- end -}}
{{- if and .Values.valkey.enabled (or .Values.redis.url .Values.redis.existingSecret) -}}
{{- fail "valkey.enabled and redis are two stores: set one of them" -}}
{{- end -}}
{{- if and .Values.valkey.enabled (not .Values.valkey.existingSecret) -}}
{{- fail "valkey.existingSecret is needed: whoever reaches an open Redis can change verdicts" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkScaling" -}}
{{- $scaling := .Values.autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- $resources := default dict .Values.resources -}}
{{- $cpu := coalesce (default dict $resources.requests).cpu (default dict $resources.limits).cpu -}}
{{- if and $scaling.enabled (not $cpu) -}}
{{- fail "autoscaling.enabled measures the use of the requested processor: set resources.requests.cpu" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkCluster" -}}
{{- $cluster := .Values.kubernetes -}}
{{- if and (not $cluster.readTemplates) (or $cluster.templates $cluster.allNamespaces $cluster.clusterTemplates) -}}
{{- fail "kubernetes.readTemplates is false: leave out kubernetes.templates, kubernetes.allNamespaces and kubernetes.clusterTemplates" -}}
{{- end -}}
{{- if and .Values.rbac.create $cluster.enabled (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "the rights would be those of the account `default`, and so of all pods of the namespace: set serviceAccount.name, serviceAccount.create, or rbac.create to false" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkNetwork" -}}
{{- $service := .Values.service -}}
{{- if and (or $service.loadBalancerClass $service.loadBalancerSourceRanges) (ne $service.type "LoadBalancer") -}}
{{- fail "service.loadBalancerClass and service.loadBalancerSourceRanges need service.type LoadBalancer" -}}
{{- end -}}
{{- if and $service.externalTrafficPolicy (eq $service.type "ClusterIP") -}}
{{- fail "service.externalTrafficPolicy needs service.type LoadBalancer or NodePort" -}}
{{- end -}}
{{- if and .Values.operations.enabled (eq (int .Values.operations.port) 8080) -}}
{{- fail "operations.port is 8080, which the gateway answers callers on: choose another" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.checkMonitoring" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled scrape everything twice: set one of them" -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled (not .Values.operations.enabled) -}}
{{- fail "podMonitor.enabled needs operations.enabled" -}}
{{- end -}}
{{- end -}}
